//! A real OpenLDAP server on loopback in a folder of its own: the system's is not read, started or stopped.

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The account that the gateway asks as.
pub const READER: &str = "cn=reader,dc=kommune,dc=example";
pub const PASSWORD: &str = "kun til prøven";
const ROOT: &str = "cn=root,dc=kommune,dc=example";

pub struct Slapd {
    folder: tempfile::TempDir,
    child: Option<Child>,
    pub port: u16,
    pub tls_port: u16,
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn run(command: &mut Command) -> String {
    let out = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "{command:?}: {said}");
    String::from_utf8_lossy(&out.stdout).into_owned()
}

impl Slapd {
    /// Serves what stands in `directory.ldif`. Nobody but the reader and root may see anything.
    pub fn start() -> Slapd {
        let folder = tempfile::tempdir().expect("folder");
        let mut slapd = Slapd {
            folder,
            child: None,
            port: free_port(),
            tls_port: free_port(),
        };
        fs::create_dir(slapd.path("db")).expect("folder");
        slapd.certificates();
        slapd.configure();
        // AppArmor confines the program by its path, to /etc/ldap and /var/lib/ldap; a copy is another program.
        // By cp: a file that this process has open for writing may be inherited by what another test starts, and is then busy.
        run(Command::new("cp").arg("/usr/sbin/slapd").arg(slapd.path("slapd")));
        let ldif = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/directory/directory.ldif");
        slapd.add_offline(&ldif);
        slapd.up();
        slapd
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configure(&self) {
        let at = |name: &str| self.path(name).display().to_string();
        let text = format!(
            "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n\
             include /etc/ldap/schema/nis.schema\ninclude /etc/ldap/schema/inetorgperson.schema\n\
             include /etc/ldap/schema/misc.schema\n\
             modulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile {}\nargsfile {}\n\
             TLSCACertificateFile {}\nTLSCertificateFile {}\nTLSCertificateKeyFile {}\n\
             sizelimit size.soft=100 size.hard=100 size.prtotal=unlimited\n\
             database mdb\nmaxsize 104857600\nsuffix dc=kommune,dc=example\ndirectory {}\nrootdn {ROOT}\nrootpw root\n\
             access to dn.subtree=\"ou=secret,dc=kommune,dc=example\" by * none\n\
             access to * by dn.exact=\"{READER}\" read by anonymous auth by * none\n",
            at("pid"),
            at("args"),
            at("ca.pem"),
            at("server.pem"),
            at("server.key"),
            at("db"),
        );
        fs::write(self.path("slapd.conf"), text).expect("written");
    }

    /// An authority with a server, and another authority.
    fn certificates(&self) {
        for ca in ["ca", "other"] {
            run(self
                .openssl(&[
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:P-256",
                    "-nodes",
                ])
                .args([
                    "-days",
                    "2",
                    "-subj",
                    &format!("/CN=Test {ca}"),
                    "-keyout",
                    &format!("{ca}.key"),
                ])
                .args(["-out", &format!("{ca}.pem")]));
        }
        run(self
            .openssl(&["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
            .args(["-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"]));
        fs::write(
            self.path("san"),
            "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n",
        )
        .expect("written");
        run(self
            .openssl(&["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key"])
            .args(["-CAcreateserial", "-days", "2", "-extfile", "san", "-out", "server.pem"]));
    }

    fn openssl(&self, words: &[&str]) -> Command {
        let mut openssl = Command::new("openssl");
        openssl.args(words).current_dir(self.folder.path());
        openssl
    }

    /// `slapadd` is slapd under another name.
    fn add_offline(&self, ldif: &Path) {
        let mut add = Command::new(self.path("slapd"));
        add.args(["-T", "add", "-q", "-f"])
            .arg(self.path("slapd.conf"))
            .arg("-l")
            .arg(ldif);
        run(&mut add);
    }

    pub fn up(&mut self) {
        let urls = format!("ldap://127.0.0.1:{} ldaps://127.0.0.1:{}", self.port, self.tls_port);
        let mut slapd = Command::new(self.path("slapd"));
        // `-d` keeps it in the foreground, where the child that we stop is the server.
        slapd.args(["-d", "0", "-h", &urls, "-f"]).arg(self.path("slapd.conf"));
        let log = fs::File::create(self.path("log")).expect("log");
        slapd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.child = Some(slapd.spawn().expect("slapd"));
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", self.tls_port)).is_err() {
            let log = fs::read_to_string(self.path("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "slapd does not serve: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn down(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// `ldapmodify` as root.
    pub fn modify(&self, ldif: &str) {
        let mut modify = Command::new("ldapmodify");
        modify
            .args(["-x", "-D", ROOT, "-w", "root", "-H"])
            .arg(format!("ldap://127.0.0.1:{}", self.port));
        let mut child = modify
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("Debian's ldap-utils");
        child
            .stdin
            .take()
            .expect("piped")
            .write_all(ldif.as_bytes())
            .expect("written");
        assert!(child.wait().expect("our child").success(), "{ldif}");
    }

    /// A file with the reader's password.
    pub fn password(&self, text: &str, mode: u32) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path("password");
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("mode");
        path
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        self.down();
    }
}

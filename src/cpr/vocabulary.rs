//! The words that speak for or against a number, as data.
//!
//! Stems in lower case, parted by commas; what follows a stem does not matter (`borger`, `borgeren`, `borgerens`). `=` at the
//! end: the whole word only. `*` at the start: also inside a word (`mitcprnr`). A word for a kind of thing belongs here
//! only when the kind is common enough that its numbers meet CPR numbers in one mail.

use super::words::Says;

/// Each kind with its stems.
pub(super) const VOCABULARY: [(Says, &str); 7] = [
    (Says::Cpr, CPR),
    (Says::Birth, BIRTH),
    (Says::Person, PERSON),
    (Says::Casework, CASEWORK),
    (Says::Case, CASE),
    (Says::PNumber, P_NUMBER),
    (Says::Other, OTHER),
];

/// A CPR number, in Danish, English, German, Swedish, Norwegian. Sources: CPR-kontoret; Microsoft Purview, "Denmark personal
/// identification number", keyword list.
const CPR: &str = "\
    *personnumre, *fødselsnumre, *socialsecurity, social_security, *personnumber, person_number, *personalnumber, \
    personal_number, *nationalid, national_id, personal_id, *personalid, *identitynumber, civil_registration, \
    *personalidentity, citizenid, citizen id, citizen_id, danish number, danish personal, foedselsnummer, \
    person-nummer, person nummer, \
    borger-id, borgerid, civil reg, civil registration, *civilregistration, *cpr, danish id, dansk id, \
    erstatningsnummer, *fodselsnummer, *fødselsnr, *fødselsnummer, identifikationsnummer, identitetsbeteckning, \
    identitetsnummer, national id, national identi, nationalnummer, patient id, patient-id, patientid, pers nr, \
    pers. nr, pers.nr, persnr, person id, person nr, person number, person-id, person-nr, personal id, \
    personal identi, personal number, personenkennz, personennummer, personenregister, personid, personnr, \
    *personnummer, skattenr, skattenummer, social security, ssn=, sundhedskortnr, sundhedskortnummer, \
    sygesikringsnr, sygesikringsnummer, tax id, tax number";

/// A birth date.
const BIRTH: &str = "\
    birth, born=, dob=, f.d., fdato, fodt=, foedsel, foedt, född, födel, fødsel, født, geb., geboren, geburt";

/// A person, or whose the number is.
const PERSON: &str = "\
    abonnent=, account holder, ansat, ansatt, anställd, ansøger, antragsteller, applicant, barn, beboer, borger, \
    bürger, child, citizen, datter, daughter, ehefrau, ehegatt, ehemann, ektefelle, elev=, eleven, elevens, elevnr, elevnummer, elev-id, employee, \
    faderen, far=, faren=, fars=, father, forsikringstager, forælder, forældre, fru=, guardian, hr., \
    identification number, identity number, indehaver, innbygger, kinder, klient, kontohaver, kontoindehaver, \
    maka=, medarbejder, medborgare, mitarbeiter, moderen, mor=, moren, mors=, mother, name=, navn, partshør, \
    pasient, patient, pensionist, policeholder, pårørende, resident, samlever, schüler, son=, spouse, student, \
    studerende, sökande, søker=, søn=, sønnen, vedr., vedrørende, værge, ægtefælle";

/// Casework, treatment, school: texts that are about one person.
const CASEWORK: &str = "\
    admitted, adresse=, adressen, afdøde, afgørelse, aktindsigt, ang., angående, ansøg, application, arving, \
    behandling, benefit, bevilg, blodprøve, bopæl, dagpenge, diagnose, diagnosis, discharged, dødsbo, epikrise, \
    flyttet, fuldmagt, henvendelse, henvisning, henvist, indlagt, institution, journal=, journalen, klage, \
    kontanthjælp, lønseddel, myndig, noteret, opholdstilladelse, opslag i registr, orienter, partshøring, \
    prescription, recept, referral, residence permit, ringede, sagen ved, samtale, samvær, skolestart, statsborger, \
    sundhedskort, sygemeld, sygesikring, talt med, udbetal, udskrevet, underretning, vedrør, ydelse";

/// Case and journal numbers; other countries' numbers of persons. Where an office takes the person's number for the case,
/// both are true.
const CASE: &str = "\
    lønnr, lønnummer, medarbejdernr, medarbejdernummer, personalenr, personalenummer, aktnr, case id, case no, case num, case=, esdh, j. nr, j.nr, jnr=, journal nr, journalnr, journalnummer, \
    løbesag, norsk fødselsnummer, norwegian national, sag nr, sag-nr, sag=, sags-, sagsid, sagsnr, sagsnummer, \
    saksnr, saksnummer, svensk personnummer, svenskt personnummer, swedish personal, ärende";

/// A production unit's number (ten digits from 1), or short for personnummer: the number itself tells which.
const P_NUMBER: &str = "pnr=";

/// Something else: accounts, goods, messages, machines.
const OTHER: &str = "\
    p nr, p nummer, p-nr, p-nummer, pnummer, \
    akt=, *måler=, \
    abonnement, abonnementsn, acadre, account n, account=, adgangskode, aftagen, aftalen, akt id, akt-id, \
    aktenzeichen, aktivnr, ansøgningsn, artikelnr, artikelnummer, arxiv, autorisation, backup, barcode, batch, bbr, \
    beskedid, bestellnummer, bestilling nr, bestilling=, bestillingsn, beställningsn, betalings, betalings-id, betalingsid, bfe, \
    bic=, bilag nr, bilagsnr, bilagsnummer, billet=, billetn, booking=, bookingn, boundary, bruger-id, brugerid, \
    build-, build=, byte=, bytes=, captia, checksum, commit=, consignment, counter, customer id, customer no, \
    customer num, cvr, dankort, dato/tid, debitor=, debitorn, deres ref, device, dhl, doi=, dok-id, dok.id, dok.nr, \
    dokument-id, dokumentnr, dokumentnummer, dsc=, ean-, ean=, eannr, ejendomsnr, ejendomsnummer, eksamensn, \
    elmåler, epoch, epsg, error code, error=, event=, exit code, exp=, express=, f2:, *faktura, fax=, faxn, \
    fejlkode, fi-kreditor, fik-, firmware, flight, forbrugern, forsendelse, forsendelsesn, fragtbrev, gavekort, \
    getorganized, giro, girokort, gln, gls=, gps, gtin, guid, hash=, hetu=, iat=, iban, id_, imei, img, inc=, \
    incident, indkøbsordre, indsæt, inode, installationsnr, invoice, isbn, ismn, isrc, issn, item no, job id, job=, \
    jobid, katalogn, kennitala, kode=, kodeord, *konto nr, *konto=, *kontoen=, *kontonr, *kontonummer, kort=, \
    *kortnr, kortnr, kortnummer, kreditnota, kreditor=, kreditorn, kto., *kto=, kunde nr, kunde-id, kunde-nr, \
    kundennummer, kundenr, kundenummer, kundnr, kundnummer, kvittering=, kvitteringsn, kørekortn, lat=, \
    leverandørn, licens, log=, lon=, lot=, lånenr, lånenummer, lånerkort, løbenr, løbenummer, mac=, mastercard, \
    materialen, matrikel, md5, medlemsnr, medlemsnummer, meeting id, message id, message-id, messageid, mitid, \
    mobil=, mobiln, mobiltelefon=, model n, model=, mtime, målepunkt, måler, målernr, målernummer, møde-id, \
    mødetid, nemid, nhs, nobb, node id, nummerplade, object id, objectid, offset, order id, order no, order num, \
    order:, order=, ordernr, ordernummer, ordre nr, ordre-, ordre=, ordrebekræftelse, ordrenr, ordrenummer, org.nr, \
    organisation n, organisationsn, orgnr, p-enhed, packets, pakke nr, pakke=, pakkenr, \
    pakkenummer, parcel, part no, pasnr, pasnummer, passport, password, phone n, phone=, pid=, pin=, pkt=, pmid, \
    po-nummer, police nr, police=, policenr, policenummer, postnord=, proces=, process=, produktionsenhed, \
    puk=, rate=, rechnung, ref., ref:, ref=, reference n, reference:, reference=, referencen, reg. nr, reg.-nr, \
    reg.nr, registreringsnr, registreringsnummer, regning nr, regningsn, regnr, rejsekort, rekvisition, request, \
    reservation=, reservationsn, reservedels, ring på, ritm, s/n, sbsys, screenshot, se-nr, sending, sendungs, \
    sensor, seq=, serial n, serial=, serienr, serienummer, session, sha1, sha256, shipment, simkort, size=, skade=, \
    skadenr, skadesn, sku=, skærmbillede, *smtp id, *smtpa id, *smtps id, *smtpsa id, sn:, steuern, stregkode, \
    studien, su-nr, support, swift, tel., tel=, telefon=, telefonn, telefonnummer, telephone, thread, ticket, \
    tidspunkt, tidsstempel, time=, timestamp, tlf, token, track, transaktion, ts=, typen, udstyrsn, unix, unixtime, \
    ups=, uptime, user id, userid, utm, uuid, varenr, varenummer, vat n, vat=, version=, visa=, vores ref, voucher, \
    voucherkode, vvs, waybill, workzone, y-tunnus, ydernr";

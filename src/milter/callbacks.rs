//! Glue between the milter library and the session: bytes in, status out. Nothing is decided here.
//!
//! *Accept* is never answered: before the end of a message it would end the reading of it, and at CONNECT of the whole
//! SMTP session.

use super::act;
use super::judge::{Case, weigh};
use super::negotiate;
use super::reply;
use super::serve::Shared;
use super::session::{Finished, Message, Session};
use super::world::{Trouble, World};
use indymilter::{
    Actions, Callbacks, Context, ContextActions, EomActions, EomContext, Macros, NegotiateContext, ProtoOpts,
    SocketInfo, Status,
};
use std::ffi::{CStr, CString};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

/// Seconds beyond our deadline for writing down what was decided in time.
const WRITING: Duration = Duration::from_secs(40);

type Cx<W> = Context<Session<W>>;

/// All callbacks.
pub fn callbacks<W: World>(shared: Arc<Shared<W>>) -> Callbacks<Session<W>> {
    Callbacks::new()
        .on_negotiate(move |cx, actions, options| {
            let shared = Arc::clone(&shared);
            Box::pin(async move { on_negotiate(cx, shared, actions, options) })
        })
        .on_connect(|cx, name, socket| Box::pin(async move { on_connect(cx, &name, &socket) }))
        .on_mail(|cx, args| Box::pin(async move { on_mail(cx, args) }))
        .on_rcpt(|cx, args| Box::pin(async move { on_rcpt(cx, args) }))
        .on_data(|cx| Box::pin(async move { quiet(cx, ProtoOpts::NOREPLY_DATA) }))
        .on_header(|cx, name, value| Box::pin(async move { on_header(cx, name, value) }))
        .on_eoh(|cx| Box::pin(async move { quiet(cx, ProtoOpts::NOREPLY_EOH) }))
        .on_body(|cx, chunk| {
            Box::pin(async move {
                if let Some(message) = cx.data.as_mut().and_then(Session::message) {
                    message.chunk(&chunk).await;
                }
                quiet(cx, ProtoOpts::NOREPLY_BODY)
            })
        })
        .on_eom(|cx| Box::pin(on_eom(cx)))
        .on_abort(|cx| Box::pin(async move { forget(cx) }))
        .on_close(|cx| Box::pin(async move { forget(cx) }))
}

fn on_negotiate<W: World>(
    cx: &mut NegotiateContext<Session<W>>,
    shared: Arc<Shared<W>>,
    actions: Actions,
    options: ProtoOpts,
) -> Status {
    match negotiate::agree(actions, options) {
        Ok(agreed) => {
            cx.requested_actions = negotiate::ACTIONS;
            cx.requested_opts = agreed.options;
            cx.requested_macros = agreed.macros;
            cx.data = Some(Session::new(shared, agreed.options));
            Status::Continue
        }
        Err(missing) => {
            tracing::error!("milter negotiation refused, mail gets 4xx: {missing}");
            // No valid answer to a negotiation: the library closes the connection, and Postfix takes its default action.
            Status::Reject
        }
    }
}

fn on_connect<W: World>(cx: &mut Cx<W>, name: &CStr, socket: &SocketInfo) -> Status {
    if let Some(session) = cx.data.as_mut() {
        session.forget();
        session.client.name = name.to_string_lossy().into_owned();
        session.client.address = match socket {
            SocketInfo::Inet(address) => Some(address.ip()),
            _ => text(&cx.macros, c"{client_addr}").and_then(|address| address.parse().ok()),
        };
        session.client.daemon = text(&cx.macros, c"{daemon_name}");
    }
    quiet(cx, ProtoOpts::NOREPLY_CONNECT)
}

fn on_mail<W: World>(cx: &mut Cx<W>, args: Vec<CString>) -> Status {
    let login = text(&cx.macros, c"{auth_authen}");
    let Some(session) = cx.data.as_mut() else {
        // MAIL without a negotiation: nobody that we serve does this.
        return Status::Tempfail;
    };
    session.begin(bytes(args), login);
    quiet(cx, ProtoOpts::NOREPLY_MAIL)
}

fn on_rcpt<W: World>(cx: &mut Cx<W>, args: Vec<CString>) -> Status {
    match cx.data.as_mut().and_then(Session::message) {
        Some(message) => message.recipient(bytes(args)),
        None => tracing::debug!("a recipient without a message"),
    }
    quiet(cx, ProtoOpts::NOREPLY_RCPT)
}

fn on_header<W: World>(cx: &mut Cx<W>, name: CString, value: CString) -> Status {
    if let Some(message) = cx.data.as_mut().and_then(Session::message) {
        message.header(name.into_bytes(), value.into_bytes());
    }
    quiet(cx, ProtoOpts::NOREPLY_HEADER)
}

fn forget<W: World>(cx: &mut Cx<W>) -> Status {
    if let Some(session) = cx.data.as_mut() {
        session.forget();
    }
    Status::Continue
}

/// No answer where that was agreed for this step, *continue* elsewhere. A wrong choice hangs the dialogue.
fn quiet<W: World>(cx: &Cx<W>, step: ProtoOpts) -> Status {
    let agreed = cx.data.as_ref().is_some_and(|session| session.options.contains(step));
    if agreed { Status::Noreply } else { Status::Continue }
}

async fn on_eom<W: World>(cx: &mut EomContext<Session<W>>) -> Status {
    let queue_id = text(&cx.macros, c"i");
    let message = cx.data.as_mut().and_then(Session::take);
    let result = match message {
        Some(message) => finish(message, queue_id.clone(), &cx.actions, &mut cx.reply).await,
        None => Err(Trouble::Protocol("the end of a message that was not begun")),
    };
    result.unwrap_or_else(|trouble| {
        tracing::warn!(queue_id, %trouble, "message not finished, the client keeps it (4xx)");
        reply::defer(&mut cx.reply, &trouble)
    })
}

/// Inspection and judgement while *progress* is sent; then custody; then, in one run, the edits.
async fn finish<W: World>(
    message: Message<W>,
    queue_id: Option<String>,
    actions: &EomActions,
    reply: &mut indymilter::SmtpReply,
) -> Result<Status, Trouble> {
    let started = Instant::now();
    let Finished {
        world,
        case,
        tries,
        held_open,
    } = message.finish(queue_id).await?;
    let case: Arc<Case> = Arc::new(case);
    let every = Duration::from_secs(world.milter().progress_seconds.max(1));
    let deadline = started + Duration::from_secs(world.milter().deadline_seconds.max(1));
    let judging = tokio::spawn(weigh(Arc::clone(&world), case, tries, deadline.into_std()));
    // A second more than the inspection has, so that its own "too late" (a hold) comes before ours (a 4xx).
    let weighed = patiently(actions, every, deadline + Duration::from_secs(1), judging).await?;
    let ruling = if weighed.writes() {
        // A hold for an MTA that has gone would be for a mail that its client sends again: is anybody there?
        actions.progress().await.map_err(|_| Trouble::Gone)?;
        patiently(actions, every, deadline + WRITING, tokio::spawn(weighed.settle())).await?
    } else {
        weighed.settle().await?
    };
    let status = act::carry_out(ruling, actions, reply).await;
    drop(held_open);
    status
}

/// Waits for a task of ours and keeps Postfix waiting with *progress*. A panic in it ends this message with a 4xx, not the
/// connection.
async fn patiently<T>(
    actions: &EomActions,
    every: Duration,
    until: Instant,
    task: JoinHandle<Result<T, Trouble>>,
) -> Result<T, Trouble> {
    let mut task = AbortOnDrop(task);
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            done = &mut task.0 => return done.unwrap_or_else(|error| {
                tracing::error!(panic = error.is_panic(), "a task of the gateway broke off");
                Err(Trouble::Panicked)
            }),
            () = sleep_until(until) => return Err(Trouble::Late),
            _ = ticks.tick() => actions.progress().await.map_err(|_| Trouble::Gone)?,
        }
    }
}

struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn bytes(args: Vec<CString>) -> Vec<Vec<u8>> {
    args.into_iter().map(CString::into_bytes).collect()
}

fn text(macros: &Macros, name: &CStr) -> Option<String> {
    let value = macros.get(name)?.to_string_lossy().into_owned();
    (!value.is_empty()).then_some(value)
}

//! Sessions in use: what each may reach, remembered for as long as nothing in the store has changed, and what ends its
//! open requests and websockets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use nbvend_cloud::services::sagemaker::access::{self, Refusal, Visitor};
use nbvend_host::proxy::{CancellationToken, Target};
use nbvend_wire::timestamp::Timestamp;

use super::Place;
use crate::server::Site;
use crate::server::handover::Open;

/// How soon open websockets hear that their session is over, when a change in the store ended it.
const WATCH: Duration = Duration::from_secs(1);

/// So long (milliseconds) an answer holds for requests and for what is open, while nothing changes: whether somebody
/// may can hang on the time of day.
const HOLDS: i64 = 1000;
const HOLDS_OPEN: i64 = 10_000;

/// By the cookie's value.
#[derive(Default)]
pub struct Sessions(Mutex<HashMap<String, Known>>);

/// A session that held when it was last looked up.
struct Known {
    place: Place,
    target: Target,
    until: CancellationToken,
    expires: Timestamp,
    /// The store's count of commits before the look.
    seen: u64,
    /// When that was, and who came.
    looked: Timestamp,
    visitor: Visitor,
}

/// What a session lets a request reach, and what ends it.
pub struct Admitted {
    pub target: Target,
    pub until: CancellationToken,
}

impl Sessions {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.0.lock().expect("nobody panics while holding the sessions")
    }

    /// Ends all of them.
    pub fn clear(&self) {
        for (_, known) in self.known().drain() {
            known.until.cancel();
        }
    }

    /// Looks each up anew when it is used next: another store counts its commits from nothing.
    pub fn look_again(&self) {
        self.known().values_mut().for_each(|known| known.seen = u64::MAX);
    }

    /// Ends one.
    pub fn end(&self, cookie: &str) {
        if let Some(known) = self.known().remove(cookie) {
            known.until.cancel();
        }
    }

    /// All of them, for another engine to look up.
    pub fn open(&self) -> Vec<Open> {
        let known = self.known();
        let open = known.iter().map(|(cookie, known)| Open {
            cookie: cookie.clone(),
            name: known.place.name.clone(),
            region: known.place.region.clone(),
            ip: known.visitor.ip,
            secure: known.visitor.secure,
        });
        open.collect()
    }

    /// What a cookie opens at a place. The store is read only if it has changed since the last time: a page of Lab is
    /// some hundred requests.
    pub fn admit(
        site: &Arc<Site>,
        place: &Place,
        cookie: &str,
        visitor: Visitor,
    ) -> Result<Admitted, Refusal> {
        let (commits, now) = (site.engine.store().commits(), site.engine.now());
        if let Some(known) = site.lasting.sessions.known().get(cookie)
            && known.seen == commits
            && known.place == *place
            && known.visitor == visitor
            && now < known.expires
            && now.0 - known.looked.0 < HOLDS
        {
            return Ok(known.admitted());
        }
        let found = look(site, place, cookie, visitor);
        let mut sessions = site.lasting.sessions.known();
        match found {
            Ok((target, expires)) => {
                let until = match sessions.get_mut(cookie) {
                    Some(known) => {
                        known.target = target.clone();
                        known.seen = commits;
                        known.looked = now;
                        known.visitor = visitor;
                        known.until.clone()
                    }
                    None => {
                        let until = CancellationToken::new();
                        end_on_time(site, cookie, expires, until.clone());
                        let place = place.clone();
                        let known = Known {
                            place,
                            target: target.clone(),
                            until: until.clone(),
                            expires,
                            seen: commits,
                            looked: now,
                            visitor,
                        };
                        sessions.insert(cookie.to_owned(), known);
                        until
                    }
                };
                Ok(Admitted { target, until })
            }
            Err(refusal) => {
                // Tried at another notebook's address it says nothing of the session.
                if sessions.get(cookie).is_some_and(|known| known.place == *place)
                    && let Some(known) = sessions.remove(cookie)
                {
                    known.until.cancel();
                }
                Err(refusal)
            }
        }
    }

    /// Ends what sessions have open when they are over: their notebook was stopped or started anew, or is gone, or
    /// whoever made the link may not any more.
    pub async fn watch(site: Arc<Site>) {
        loop {
            tokio::time::sleep(WATCH).await;
            let (commits, now) = (site.engine.store().commits(), site.engine.now());
            let stale: Vec<(String, Place, Visitor)> = {
                let sessions = site.lasting.sessions.known();
                let stale = sessions
                    .iter()
                    .filter(|(_, known)| known.seen != commits || now.0 - known.looked.0 >= HOLDS_OPEN);
                stale.map(|(cookie, known)| (cookie.clone(), known.place.clone(), known.visitor)).collect()
            };
            for (cookie, place, visitor) in stale {
                // The look itself ends what is over.
                let _ = Self::admit(&site, &place, &cookie, visitor);
            }
        }
    }
}

impl Known {
    fn admitted(&self) -> Admitted {
        Admitted { target: self.target.clone(), until: self.until.clone() }
    }
}

fn look(site: &Site, place: &Place, cookie: &str, visitor: Visitor) -> Result<(Target, Timestamp), Refusal> {
    let visit = access::session(&site.engine, &place.region, &place.name, cookie, visitor)?;
    let target = site.notebooks.target(&visit.notebook_id, &visit.user);
    let target = target.ok_or_else(|| Refusal::NotInService("starting".to_owned()))?;
    Ok((target, visit.expires))
}

fn end_on_time(site: &Arc<Site>, cookie: &str, expires: Timestamp, until: CancellationToken) {
    let left = u64::try_from(expires.0 - site.engine.now().0).unwrap_or(0);
    let (site, cookie) = (Arc::clone(site), cookie.to_owned());
    tokio::spawn(async move {
        if time_up(Duration::from_millis(left), &until).await {
            site.lasting.sessions.known().remove(&cookie);
        }
    });
}

/// Ends what hangs on `until` when the time is up; false if it was ended before.
async fn time_up(left: Duration, until: &CancellationToken) -> bool {
    tokio::select! {
        () = tokio::time::sleep(left) => {
            until.cancel();
            true
        }
        () = until.cancelled() => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half an hour is the shortest session there is, so the black box cannot wait for one. That a websocket closes when
    /// its token is cancelled is the proxy's test.
    #[tokio::test]
    async fn what_is_open_ends_when_the_time_is_up_and_not_before() {
        let until = CancellationToken::new();
        let open = until.child_token();
        let timer = tokio::spawn({
            let until = until.clone();
            async move { time_up(Duration::from_millis(200), &until).await }
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!open.is_cancelled());
        tokio::time::timeout(Duration::from_secs(10), open.cancelled()).await.expect("ends");
        assert!(timer.await.unwrap());

        let ended = CancellationToken::new();
        ended.cancel();
        assert!(!time_up(Duration::from_secs(3600), &ended).await);
    }
}

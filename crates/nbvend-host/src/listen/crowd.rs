//! The connections there are, counted by peer. When there are too many, the one that has waited longest between requests
//! makes room, out of those of the peer that holds most: a peer that holds few is not shut out by one that holds many.
use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::Limits;

/// All connections. Clones are the same crowd.
#[derive(Clone)]
pub struct Crowd(Arc<Shared>);

struct Shared {
    limits: Limits,
    begun: Instant,
    next: AtomicU64,
    peers: Mutex<HashMap<IpAddr, HashMap<u64, Arc<Place>>>>,
}

/// One connection's place, until dropped.
pub struct Seat {
    place: Arc<Place>,
    id: u64,
    peer: IpAddr,
    crowd: Crowd,
}

struct Place {
    shed: CancellationToken,
    /// Since when it waits for a request, in microseconds since the crowd began; [`BUSY`] while one is being answered.
    waits_since: AtomicU64,
}

const BUSY: u64 = u64::MAX;

impl Crowd {
    pub fn new(limits: Limits) -> Self {
        let (begun, next) = (Instant::now(), AtomicU64::new(0));
        Self(Arc::new(Shared { limits, begun, next, peers: Mutex::default() }))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.peers().values().map(HashMap::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A seat for a connection from `ip`; none when all are taken by requests under way.
    pub fn enter(&self, ip: IpAddr) -> Option<Arc<Seat>> {
        let peer = key(ip);
        let limits = &self.0.limits;
        let mut peers = self.peers();
        let own = peers.get(&peer).map_or(0, HashMap::len);
        if own >= limits.per_peer && !peer.is_loopback() {
            shed(peers.get_mut(&peer)?, false)?;
        } else if peers.values().map(HashMap::len).sum::<usize>() >= limits.connections {
            let heaviest = peers.iter().max_by_key(|(_, places)| places.len()).map(|(peer, _)| *peer)?;
            let most = peers.get_mut(&heaviest)?;
            let unfair = most.len() > own + 1;
            shed(most, unfair)?;
        }
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let place =
            Arc::new(Place { shed: CancellationToken::new(), waits_since: AtomicU64::new(self.micros()) });
        peers.entry(peer).or_default().insert(id, Arc::clone(&place));
        drop(peers);
        Some(Arc::new(Seat { place, id, peer, crowd: self.clone() }))
    }

    fn peers(&self) -> MutexGuard<'_, HashMap<IpAddr, HashMap<u64, Arc<Place>>>> {
        self.0.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.0.begun.elapsed().as_micros()).unwrap_or(BUSY - 1)
    }
}

/// Ends the connection that has waited longest; one with a request under way only if `even_busy`.
fn shed(places: &mut HashMap<u64, Arc<Place>>, even_busy: bool) -> Option<()> {
    let waits = |place: &Place| place.waits_since.load(Ordering::Relaxed);
    let (id, place) = places.iter().min_by_key(|(id, place)| (waits(place), **id))?;
    if waits(place) == BUSY && !even_busy {
        return None;
    }
    place.shed.cancel();
    let id = *id;
    places.remove(&id);
    Some(())
}

/// One customer of a network provider has a whole /64.
fn key(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) if !ip.is_loopback() => Ipv6Addr::from(u128::from(ip) & !u128::from(u64::MAX)).into(),
        ip => ip,
    }
}

impl Seat {
    /// A request is being answered.
    pub(super) fn busy(&self) {
        self.place.waits_since.store(BUSY, Ordering::Relaxed);
    }

    /// The answer has begun; it is not waiting as long as it is being sent, see [`Seat::moved`].
    pub(super) fn idle(&self) {
        self.place.waits_since.store(self.crowd.micros(), Ordering::Relaxed);
    }

    /// Part of an answer was taken by the client.
    pub(super) fn moved(&self) {
        if self.place.waits_since.load(Ordering::Relaxed) != BUSY {
            self.idle();
        }
    }

    /// Does the work, or drops it when the seat is needed for another.
    pub async fn unless_shed<F: Future>(&self, work: F) -> Option<F::Output> {
        tokio::select! {
            done = work => Some(done),
            () = self.place.shed.cancelled() => None,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut peers = self.crowd.peers();
        if let Some(places) = peers.get_mut(&self.peer) {
            places.remove(&self.id);
            if places.is_empty() {
                peers.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(connections: usize, per_peer: usize) -> Crowd {
        Crowd::new(Limits { connections, per_peer, ..Limits::default() })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn is_shed(seat: &Seat) -> bool {
        seat.place.shed.is_cancelled()
    }

    #[test]
    fn seats_are_given_back() {
        let crowd = crowd(2, 2);
        let seats: Vec<_> = (0..2).map(|_| crowd.enter(ip("192.0.2.1")).unwrap()).collect();
        seats.iter().for_each(|seat| seat.busy());
        assert!(crowd.enter(ip("192.0.2.1")).is_none());
        drop(seats);
        assert!(crowd.is_empty());
        assert!(crowd.enter(ip("192.0.2.1")).is_some());
    }

    #[test]
    fn the_longest_waiting_makes_room() {
        let crowd = crowd(100, 3);
        let seats: Vec<_> = (0..3).map(|_| crowd.enter(ip("192.0.2.1")).unwrap()).collect();
        seats[0].busy();
        let _fourth = crowd.enter(ip("192.0.2.1")).unwrap();
        assert_eq!(seats.iter().map(|seat| is_shed(seat)).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(crowd.len(), 3);
    }

    #[test]
    fn one_peer_does_not_shut_out_another() {
        let crowd = crowd(4, 4);
        let many: Vec<_> = (0..4).map(|_| crowd.enter(ip("192.0.2.1")).unwrap()).collect();
        many.iter().for_each(|seat| seat.busy());
        let other = crowd.enter(ip("192.0.2.2")).unwrap();
        assert_eq!(many.iter().filter(|seat| is_shed(seat)).count(), 1);
        // The heavy one does not push it out again.
        other.busy();
        assert!(crowd.enter(ip("192.0.2.1")).is_none());
    }

    #[test]
    fn one_network_is_one_peer() {
        assert_eq!(key(ip("2001:db8::1")), key(ip("2001:db8::ffff:1")));
        assert_ne!(key(ip("2001:db8:0:1::1")), key(ip("2001:db8::1")));
        assert_eq!(key(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
        assert!(key(ip("::1")).is_loopback());
    }
}

// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

import Model

/// Decides how the bytes of one blob go up. It knows no connection, no clock and no task.
///
/// The whole blob goes in one request at first, which every registry takes and none takes slower. A request that breaks off is
/// gone on with where the registry says that it stands; and from then on, or where a proxy finds one request too large, the
/// blob goes in chunks, so that a line that breaks every now and then still gets it there.
struct UploadMachine: Sendable {
    enum Action: Sendable {
        /// Open an upload (or mount the blob), after a pause.
        case open(after: Duration)
        /// Send the rest and finish: `PUT` with the digest. An empty range finishes what is there.
        case finish(from: Int)
        /// Send a part: `PATCH` with `Content-Range`.
        case send(Range<Int>)
        /// Ask how much has arrived: `GET` of the upload, after a pause.
        case ask(after: Duration)
        case done
        case fail(Failure)
    }

    enum Event: Sendable {
        /// The registry has the blob: sent, or mounted.
        case stored
        /// An upload is open; the registry wants chunks of at least that size.
        case opened(smallestChunk: Int?)
        /// A part was taken, or the registry told where it stands; `nil` where it did not say.
        case stands(at: Int?)
        /// The registry stands elsewhere than we believed (416).
        case outOfStep(at: Int?)
        /// The registry does not know the upload (any more).
        case lost(Failure)
        case tooLarge(Failure)
        case broke(Failure, wait: Duration?)
    }

    /// Half of what small proxies take, and large enough to fill a line.
    static let chunk = 16 << 20
    private static let smallest = 1 << 20

    private let size: Int
    private var chunk: Int
    private var isWhole = true
    private var offset = 0
    /// The most that a registry has confirmed, whatever became of it.
    private var record = 0
    private var sentTo = 0
    private var schedule = RetrySchedule()
    private var losses = 0
    private var isOpen = false
    /// Whether there was a pause since anything was sent.
    private var hasPaused = false
    /// The latest trouble with the line or the server: what a person should hear of in the end.
    private var cause: Failure?

    init(size: Int) {
        self.size = size
        chunk = Self.chunk
    }

    mutating func observe(_ event: Event) -> Action {
        switch event {
        case .stored: return .done
        case .opened(let least):
            (offset, sentTo, isOpen, hasPaused) = (0, 0, true, false)
            if let least { chunk = max(chunk, least) }
            return next()
        case .stands(let place):
            return go(to: place ?? sentTo)
        case .outOfStep(let place):
            return step(place)
        case .lost(let failure): return startAgain(failure, wait: nil)
        case .tooLarge(let failure):
            guard isWhole || chunk > Self.smallest else { return .fail(failure) }
            chunk = isWhole ? min(chunk, max(Self.smallest, size / 2)) : max(Self.smallest, chunk / 4)
            (isWhole, isOpen) = (false, false)
            return .open(after: .zero)
        case .broke(let failure, let wait):
            cause = failure
            guard let pause = schedule.next(asked: wait) else { return .fail(failure) }
            guard isOpen else { return .open(after: pause) }
            (isWhole, hasPaused) = (false, true)
            return .ask(after: pause)
        }
    }

    private mutating func go(to place: Int) -> Action {
        guard (0...size).contains(place) else {
            let failure = Failure(.fault, "the registry says it has \(place) of \(size) bytes")
            return startAgain(failure, wait: nil)
        }
        if place > record {
            record = place
            schedule = RetrySchedule()
        }
        (offset, hasPaused) = (place, false)
        return next()
    }

    private mutating func step(_ place: Int?) -> Action {
        let failure = Failure(.fault, "the registry lost count of what was sent")
        guard let pause = schedule.next(asked: nil) else { return .fail(failure) }
        guard let place else { return .ask(after: pause) }
        return place == offset ? startAgain(failure, wait: nil) : go(to: place)
    }

    private mutating func startAgain(_ failure: Failure, wait: Duration?) -> Action {
        losses += 1
        isOpen = false
        // Losing it over and over is no accident.
        guard losses <= 4 else { return .fail(cause ?? failure) }
        guard !hasPaused else { return .open(after: .zero) }
        guard let pause = schedule.next(asked: wait) else { return .fail(cause ?? failure) }
        return .open(after: pause)
    }

    private mutating func next() -> Action {
        guard !isWhole else {
            sentTo = size
            return .finish(from: offset)
        }
        // The last chunk may be of any size, and the finishing request may bring it.
        guard size - offset > chunk else {
            sentTo = size
            return .finish(from: offset)
        }
        sentTo = offset + chunk
        return .send(offset..<sentTo)
    }
}

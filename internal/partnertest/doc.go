// Package partnertest is what the pretend partners share: a journal on disk that outlives
// them, faults on demand, and a courier that brings their events.
//
// A pretend partner stands at the real wire of the one it pretends. What it does is written
// to its [Journal] before it answers, so that a check can read what the outside really saw,
// and so that the partner rebuilds its state from the journal after it was killed. [Faults]
// make a call go wrong; those that say "applied" let the partner do its work first and then
// spoil the reply, as a lost answer does.
//
// [Handler] puts both round a partner and serves them to people and checks under /_pretend,
// to callers on this machine only:
//
//	GET    /_pretend/journal           the entries, oldest first (?after=<seq>)
//	GET    /_pretend/faults            the faults that are set, and how often each has bitten
//	POST   /_pretend/faults            sets one: {"match": "POST /v1/lines", "kind": "drop_after", "times": 1}
//	DELETE /_pretend/faults            clears all (?id=<id>: one), and lets go of what hangs
package partnertest

package mobile

// PortWord is what a carrier says of a port.
type PortWord string

// The words. Whatever else a carrier may say is unknown.
const (
	WordSubmitted  PortWord = "SUBMITTED"
	WordDelayed    PortWord = "DELAYED"
	WordConfirmed  PortWord = "CONFIRMED"
	WordCompleted  PortWord = "COMPLETED"
	WordRefused    PortWord = "REFUSED"
	WordCancelling PortWord = "CANCELLING"
	WordCancelled  PortWord = "CANCELLED"
	WordUnknown    PortWord = "UNKNOWN"
)

// PortWords lists every word, in the order of the constants.
func PortWords() []PortWord {
	return []PortWord{
		WordSubmitted, WordDelayed, WordConfirmed, WordCompleted, WordRefused, WordCancelling, WordCancelled, WordUnknown,
	}
}

// portMoves holds, for each state and word, where the word takes the port. A word that is not
// here changes nothing: it repeats what is known, or is no answer to what was asked.
var portMoves = map[PortState]map[PortWord]PortState{
	// Nothing is at the carrier, as far as we know; but a number that has moved has moved.
	PortAwaitingInfo: {WordCompleted: PortCompleted},
	PortSubmitted: {
		WordDelayed: PortDelayed, WordConfirmed: PortConfirmed, WordCompleted: PortCompleted, WordRefused: PortRefused,
		// Nobody here asked for it: the order is gone, and somebody must look why.
		WordCancelled: PortRefused,
	},
	PortDelayed: {
		WordConfirmed: PortConfirmed, WordCompleted: PortCompleted, WordRefused: PortRefused, WordCancelled: PortRefused,
	},
	// A donor may take its word back until the number has moved; and name another time.
	PortConfirmed: {
		WordConfirmed: PortConfirmed, WordDelayed: PortDelayed, WordCompleted: PortCompleted, WordRefused: PortRefused,
		WordCancelled: PortRefused,
	},
	PortRefused: {WordConfirmed: PortConfirmed, WordCompleted: PortCompleted, WordDelayed: PortDelayed},
	// Whether the number still moves is the carrier's to say.
	PortCancelling: {WordCancelled: PortCancelled, WordCompleted: PortCompleted},
	PortCompleted:  {},
	PortCancelled:  {WordCompleted: PortCompleted},
	PortExpired:    {WordCompleted: PortCompleted},
}

// After tells where a carrier's word takes a port in this state; false when it changes
// nothing.
func (s PortState) After(word PortWord) (PortState, bool) {
	to, moves := portMoves[s][word]
	return to, moves
}

// Stoppable tells whether the port may still be given up by the customer: until the donor has
// agreed, or the number has moved, or it is being withdrawn already.
func (s PortState) Stoppable() bool {
	switch s {
	case PortAwaitingInfo, PortSubmitted, PortDelayed, PortRefused:
		return true
	case PortConfirmed, PortCompleted, PortCancelling, PortCancelled, PortExpired:
	}
	return false
}

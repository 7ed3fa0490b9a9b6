package mobile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dialtone/dialtone/internal/mobile"
)

// Each word in each state, written out; a dot is a word that changes nothing.
func ExamplePortState_After() {
	row := func(first string, cells []string) {
		line := fmt.Sprintf("%-13s", first)
		for _, cell := range cells {
			line += fmt.Sprintf(" %-11s", cell)
		}
		fmt.Println(strings.TrimRight(line, " "))
	}
	var words []string
	for _, word := range mobile.PortWords() {
		words = append(words, string(word))
	}
	row("", words)
	for _, state := range mobile.PortStates() {
		var cells []string
		for _, word := range mobile.PortWords() {
			to, moves := state.After(word)
			if !moves {
				to = "."
			}
			cells = append(cells, string(to))
		}
		row(string(state), cells)
	}
	// Output:
	//               SUBMITTED   DELAYED     CONFIRMED   COMPLETED   REFUSED     CANCELLING  CANCELLED   UNKNOWN
	// AWAITING_INFO .           .           .           COMPLETED   .           .           .           .
	// SUBMITTED     .           DELAYED     CONFIRMED   COMPLETED   REFUSED     .           REFUSED     .
	// DELAYED       .           .           CONFIRMED   COMPLETED   REFUSED     .           REFUSED     .
	// CONFIRMED     .           DELAYED     CONFIRMED   COMPLETED   REFUSED     .           REFUSED     .
	// COMPLETED     .           .           .           .           .           .           .           .
	// REFUSED       .           DELAYED     CONFIRMED   COMPLETED   .           .           .           .
	// CANCELLING    .           .           .           COMPLETED   .           .           CANCELLED   .
	// CANCELLED     .           .           .           COMPLETED   .           .           .           .
	// EXPIRED       .           .           .           COMPLETED   .           .           .           .
}

// A number that has moved beats every state but its own, and only a cancel's own word ends a
// cancel.
func TestPortState_After(t *testing.T) {
	t.Parallel()
	for _, state := range mobile.PortStates() {
		to, moves := state.After(mobile.WordCompleted)
		if state != mobile.PortCompleted && (!moves || to != mobile.PortCompleted) {
			t.Errorf("a completion leaves %s at %s", state, to)
		}
		for _, word := range mobile.PortWords() {
			if to, _ := state.After(word); to == mobile.PortCancelled && (state != mobile.PortCancelling || word != mobile.WordCancelled) {
				t.Errorf("%s by %s is cancelled", state, word)
			}
		}
		if _, moves := state.After(mobile.PortWord(strings.ToLower(string(mobile.WordCompleted)))); moves {
			t.Errorf("an unknown word moves %s", state)
		}
	}
}

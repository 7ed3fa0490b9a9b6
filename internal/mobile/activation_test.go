package mobile_test

import (
	"fmt"
	"testing"

	"github.com/dialtone/dialtone/internal/mobile"
)

// The transition table, so that the drawing in the package's comment cannot lie.
func ExampleCanMove() {
	for _, from := range mobile.States() {
		fmt.Print(from, ":")
		for _, to := range mobile.States() {
			if mobile.CanMove(from, to) {
				fmt.Print(" ", to)
			}
		}
		fmt.Println()
	}
	// Output:
	// ACCEPTED: RUNNING WAITING_FOR_CUSTOMER WAITING_FOR_OPERATOR UNDOING CANCELLED REJECTED FAILED
	// RUNNING: WAITING_FOR_CUSTOMER WAITING_FOR_CARRIER WAITING_FOR_OPERATOR UNDOING SUCCEEDED CANCELLED EXPIRED REJECTED FAILED
	// WAITING_FOR_CUSTOMER: RUNNING WAITING_FOR_CARRIER WAITING_FOR_OPERATOR UNDOING CANCELLED EXPIRED REJECTED FAILED
	// WAITING_FOR_CARRIER: RUNNING WAITING_FOR_CUSTOMER WAITING_FOR_OPERATOR UNDOING CANCELLED EXPIRED REJECTED FAILED
	// WAITING_FOR_OPERATOR: RUNNING WAITING_FOR_CUSTOMER WAITING_FOR_CARRIER UNDOING SUCCEEDED CANCELLED EXPIRED REJECTED FAILED
	// UNDOING: RUNNING WAITING_FOR_CARRIER WAITING_FOR_OPERATOR CANCELLED EXPIRED REJECTED FAILED
	// SUCCEEDED:
	// CANCELLED:
	// EXPIRED:
	// REJECTED:
	// FAILED:
}

func TestState_Final(t *testing.T) {
	t.Parallel()
	for _, state := range mobile.States() {
		leads := false
		for _, to := range mobile.States() {
			leads = leads || mobile.CanMove(state, to)
		}
		if state.Final() == leads {
			t.Errorf("%s: final is %v, but it leads somewhere: %v", state, state.Final(), leads)
		}
	}
}

package wire

import (
	"fmt"
	"net"
	"testing"
)

// A reset that comes while the request is being written shows, on some runs, only as a write
// on a connection that net/http has closed meanwhile. The socket tests cannot choose that run.
func TestCodeOfAWriteThatAResetBrokeOff(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("write: %w", &net.OpError{Op: "write", Net: "tcp", Err: net.ErrClosed})

	if got := codeOf(err, true); got != CodeReset {
		t.Errorf("got %q, want %q", got, CodeReset)
	}
}

package wire_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dialtone/dialtone/internal/wire"
)

// stopped is the context of a process that stood still: its deadline is past, and no timer has
// told anybody yet.
type stopped struct{ context.Context }

func (stopped) Deadline() (time.Time, bool) { return time.Now().Add(-time.Second), true }

// What is to be sent after its time is not sent at all: somebody else has taken over.
func TestCall_AfterItsTime(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	url := serve(t, func(http.ResponseWriter, *http.Request) { calls.Add(1) })

	_, err := wire.New(wire.Config{}).Call(stopped{t.Context()}, post(t, url))

	if e := wire.ErrorOf(err); e == nil || e.Sent || e.Code != wire.CodeTimeout {
		t.Errorf("got %v", err)
	}
	if calls.Load() != 0 {
		t.Error("it was sent all the same")
	}
}

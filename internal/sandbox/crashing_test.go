package sandbox_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	crashpoint "github.com/dialtone/dialtone/internal/crash"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// rig is the sandbox whose programs die or hold at the moments that a test names (see
// internal/crash).
type rig struct {
	*sandbox.Sandbox

	// orders is the directory that the programs look into.
	orders string
}

// crashing gives the rig. Its programs are built apart from those that everybody uses.
func crashing(t *testing.T) rig {
	t.Helper()
	s := fragile.get(t, func(dir string) sandbox.Config {
		return sandbox.Config{
			Environ: append(environ(), crashpoint.Variable+"="+ordersIn(dir)), Tags: crashpoint.Tag, Policies: fragilePolicies,
		}
	})
	orders := ordersIn(fragile.dir)
	if err := os.MkdirAll(orders, 0o700); err != nil {
		t.Fatal(err)
	}
	return rig{s, orders}
}

// fragilePolicies let a retry follow at once what ended the attempt before it, and an operator be
// asked soon after an answer was lost.
const fragilePolicies = `{"retry_first":"100ms","retry_max":"500ms","evidence":"1s"}`

func ordersIn(dir string) string { return filepath.Join(dir, "crash") }

// order gives an order, which is the name of a moment, or its first words, with crashpoint.Kill or
// crashpoint.Hold. Whoever is held is let go of by calling letGo. An order that nobody obeyed does
// not outlive the test.
func (r rig) order(t *testing.T, order string) (letGo func()) {
	t.Helper()
	path := filepath.Join(r.orders, order)
	draft, err := os.CreateTemp(r.orders, "draft")
	if err != nil {
		t.Fatal(err)
	}
	letGo = func() { _ = draft.Close() }
	t.Cleanup(letGo)
	// It is an order only once it is locked.
	if err := errors.Join(syscall.Flock(int(draft.Fd()), syscall.LOCK_EX), os.Rename(draft.Name(), path)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("nobody obeyed the order %q: %v", order, err)
		}
	})
	return letGo
}

// obeyed waits until a program has taken the order.
func (r rig) obeyed(t *testing.T, order string) {
	t.Helper()
	await(t, "a program passes "+order, func() bool {
		_, err := os.Stat(filepath.Join(r.orders, order))
		return errors.Is(err, fs.ErrNotExist)
	})
}

// reached waits until a program has taken the order for this activation, and tells whether it
// has. It has not when the act is over before: SendGrid's event may tell of a mail before its
// own attempt has written what came of it, which then writes nothing. The order is withdrawn
// in that case.
func (r rig) reached(t *testing.T, order string, w *dialtonev1.Workflow, over func(*dialtonev1.Workflow) bool) bool {
	t.Helper()
	connection := connect(t, r.Sandbox)
	taken := false
	await(t, "a program passes "+order, func() bool {
		isOver := over(readWorkflow(t, connection, w.GetActivationId()))
		_, err := os.Stat(filepath.Join(r.orders, order))
		taken = errors.Is(err, fs.ErrNotExist)
		return taken || isOver
	})
	if !taken {
		t.Logf("%s went on without passing %s", w.GetActivationId(), order)
		taken = errors.Is(os.Remove(filepath.Join(r.orders, order)), fs.ErrNotExist)
	}
	return taken
}

func hasEnded(w *dialtonev1.Workflow) bool { return w.GetEndTime() != nil }

// isMailed tells whether SendGrid has told of a mail.
func isMailed(w *dialtonev1.Workflow) bool {
	return slices.ContainsFunc(w.GetNotices(), func(n *dialtonev1.Notice) bool {
		return n.GetDelivery() == dialtonev1.NoticeDelivery_NOTICE_DELIVERY_DELIVERED
	})
}

// passed lists the moments that programs have passed since the sandbox was started.
func (r rig) passed(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.orders, crashpoint.Passed))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// hasPassed tells whether a program has passed the moment.
func (r rig) hasPassed(t *testing.T, point string, about ...string) bool {
	t.Helper()
	return slices.Contains(r.passed(t), crashpoint.Name(point, about...))
}

// dies waits until a part has died of the order, and starts it again. The sandbox does that by
// itself, but waits longer each time, so that a part which cannot live does not keep the
// machine busy.
func (r rig) dies(t *testing.T, part string, pid int, order string) {
	t.Helper()
	r.obeyed(t, order)
	await(t, part+" dies", func() bool { return r.Addresses().PIDs[part] != pid })
	if err := r.Restart(t.Context(), part); err != nil {
		t.Fatal(err)
	}
}

// persist makes a call again and again while the server is away, as every caller should.
func persist(t *testing.T, call func() error) {
	t.Helper()
	var err error
	await(t, "the server answers", func() bool {
		err = call()
		return status.Code(err) != codes.Unavailable
	})
	if err != nil {
		t.Fatal(err)
	}
}

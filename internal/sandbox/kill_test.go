package sandbox_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	crashpoint "github.com/dialtone/dialtone/internal/crash"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// The moments of an act outside, as activities/effect.go names them.
const (
	beforeRow    = "effect.before_row"
	afterRow     = "effect.after_row"
	afterCall    = "effect.after_call"
	afterVerdict = "effect.after_verdict"
)

func moments() []string { return []string{beforeRow, afterRow, afterCall, afterVerdict} }

// death is a process that dies at one moment of one activation, and what that must come to.
type death struct {
	name string
	// strike lets it happen, and returns when the process runs again, or is held there until it
	// is killed.
	strike func(*testing.T, rig) *dialtonev1.Workflow
	// settle follows the activation to its end and looks at what the partners hold.
	settle func(*testing.T, rig, *dialtonev1.Workflow)
}

// strikesMax bounds the deaths that are waited for together. The engine takes an attempt for
// lost after a minute, and until then the worker must have died.
const strikesMax = 40 * time.Second

// TestKill: whatever process dies at whatever moment around an act outside, a launch or a
// cancel, there is never more than one profile, line and mail, and in the end exactly one, or
// none after a cancel. It happens unaided wherever the partner can tell what was done.
func TestKill(t *testing.T) {
	r := crashing(t)
	deaths := slices.Concat(deathsOfServer(), deathsOfWorker())
	for len(deaths) > 0 {
		first := time.Now()
		var struck []*dialtonev1.Workflow
		for _, d := range deaths {
			if time.Since(first) > strikesMax {
				break
			}
			struck = append(struck, d.strike(t, r))
		}
		// All that the worker holds dies at once.
		crash(t, r.Sandbox, sandbox.Worker)
		for i, w := range struck {
			t.Run(deaths[i].name, func(t *testing.T) { deaths[i].settle(t, r, w) })
		}
		deaths = deaths[len(struck):]
	}
	wantAllPassed(t, r.passed(t))
}

// wantAllPassed makes sure that each moment of each act was passed, and none of an act that
// the domain does not list.
func wantAllPassed(t *testing.T, passed []string) {
	t.Helper()
	seen := make(map[string]bool)
	for _, line := range passed {
		words := strings.Fields(line)
		if !strings.HasPrefix(line, "effect.") {
			continue
		}
		seen[crashpoint.Name(words[0], words[1])] = true
		if !slices.Contains(mobile.Acts(), mobile.Act(words[1])) {
			t.Errorf("mobile.Acts lacks %s", words[1])
		}
	}
	for _, act := range mobile.Acts() {
		for _, moment := range moments() {
			if !seen[crashpoint.Name(moment, string(act))] {
				t.Errorf("no process passed %s of %s", moment, act)
			}
		}
	}
}

// TestKill_KnowsEveryAct: whoever adds an act says here how it comes about and what is left of
// it when the worker dies.
func TestKill_KnowsEveryAct(t *testing.T) {
	t.Parallel()
	acts := mobile.Acts()
	for _, declared := range declaredActs(t) {
		if !slices.Contains(acts, declared) {
			t.Errorf("mobile.Acts lacks %s", declared)
		}
	}
	known := make(map[mobile.Act]bool)
	for _, s := range scenarios() {
		known[s.act] = true
	}
	for _, act := range acts {
		if !known[act] {
			t.Errorf("the kill test has no scenario for %s: add one to scenarios", act)
		}
	}
}

// declaredActs reads the domain's constants.
func declaredActs(t *testing.T) []mobile.Act {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../mobile/effect.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var acts []mobile.Act
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "Act" {
			value := spec.Values[0].(*ast.BasicLit).Value
			acts = append(acts, mobile.Act(strings.Trim(value, `"`)))
		}
		return false
	})
	if len(acts) == 0 {
		t.Fatal("no act was found in internal/mobile/effect.go")
	}
	return acts
}

// deathsOfWorker are all moments of all acts.
func deathsOfWorker() []death {
	var deaths []death
	for _, s := range scenarios() {
		for _, moment := range moments() {
			deaths = append(deaths, death{
				name: path.Join("Worker", string(s.act), s.variant, strings.TrimPrefix(moment, "effect.")),
				strike: func(t *testing.T, r rig) *dialtonev1.Workflow {
					t.Helper()
					return r.holdWorker(t, s, moment)
				},
				settle: func(t *testing.T, r rig, w *dialtonev1.Workflow) {
					t.Helper()
					s.diedAt(moment).settle(t, r, w, s.answers[moment])
				},
			})
		}
	}
	return deaths
}

// holdWorker holds the worker at a moment of an act, for a new activation, until it is killed.
func (r rig) holdWorker(t *testing.T, s scenario, moment string) *dialtonev1.Workflow {
	t.Helper()
	order := crashpoint.Name(moment, string(s.act)) + crashpoint.Hold
	for {
		launched := s.begin(t, r, func() { _ = r.order(t, order) })
		if s.goesOn {
			r.obeyed(t, order)
		} else if !r.reached(t, order, launched, s.over) {
			continue
		}
		if !r.hasPassed(t, moment, string(s.act), launched.GetActivationId()) {
			t.Fatalf("the worker stands still at %s over another activation than %s", order, launched.GetActivationId())
		}
		return launched
	}
}

// deathsOfServer are the moments between a commit and its answer, and between taking a message
// up, telling the engine and noting it down.
func deathsOfServer() []death {
	const claimed, told, committed = "relay.claimed", "relay.told", "front.committed"
	return []death{
		{"Server/launch/" + claimed, killServer(launching(claimed)), settleNewLine},
		{"Server/launch/" + told, killServer(launching(told)), settleNewLine},
		{"Server/cancel/" + claimed, killServer(cancelling(claimed)), settleCancel},
		{"Server/cancel/" + told, killServer(cancelling(told)), settleCancel},
		{"Server/launch/" + committed, killServer(answering(committed, "LaunchWorkflow", launching)), settleOneNewLine},
		{"Server/cancel/" + committed, killServer(answering(committed, "CancelWorkflow", cancelling)), settleCancel},
	}
}

// change is a call that changes something, and the order for the server to die over it.
type change struct {
	order string
	// call makes it, with the same request_id each time.
	call func() (*dialtonev1.Workflow, error)
}

// launching launches on a subscription of its own.
func launching(point string) func(*testing.T, grpc.ClientConnInterface) change {
	return func(t *testing.T, connection grpc.ClientConnInterface) change {
		t.Helper()
		subscription := subscribe(t, connection)
		request := &dialtonev1.LaunchWorkflowRequest{
			RequestId: uuid.NewString(),
			Workflow: &dialtonev1.LaunchWorkflowRequest_MobileActivation{MobileActivation: &dialtonev1.MobileActivation{
				SubscriptionId: subscription, Imei: sandbox.GoodIMEI, ZipCode: sandbox.GoodZIP,
			}},
		}
		return change{order: crashpoint.Name(point, subscription), call: func() (*dialtonev1.Workflow, error) {
			answer, err := dialtonev1.NewWorkflowServiceClient(connection).LaunchWorkflow(t.Context(), request)
			return answer.GetWorkflow(), err
		}}
	}
}

// cancelling cancels an activation whose line is coming up.
func cancelling(point string) func(*testing.T, grpc.ClientConnInterface) change {
	return func(t *testing.T, connection grpc.ClientConnInterface) change {
		t.Helper()
		w := launchSlowly(t, connection)
		request := &dialtonev1.CancelWorkflowRequest{
			RequestId: uuid.NewString(), ActivationId: w.GetActivationId(), Reason: "the customer changed their mind",
		}
		return change{order: crashpoint.Name(point, w.GetSubscriptionId()), call: func() (*dialtonev1.Workflow, error) {
			answer, err := dialtonev1.NewWorkflowServiceClient(connection).CancelWorkflow(t.Context(), request)
			return answer.GetWorkflow(), err
		}}
	}
}

// answering lets the server die before it answers a call of that method.
func answering(point, method string, making func(string) func(*testing.T, grpc.ClientConnInterface) change) func(*testing.T, grpc.ClientConnInterface) change {
	return func(t *testing.T, connection grpc.ClientConnInterface) change {
		t.Helper()
		c := making(point)(t, connection)
		c.order = crashpoint.Name(point, method)
		return c
	}
}

// killServer lets the server die over a call, which is then repeated.
func killServer(making func(*testing.T, grpc.ClientConnInterface) change) func(*testing.T, rig) *dialtonev1.Workflow {
	return func(t *testing.T, r rig) (w *dialtonev1.Workflow) {
		t.Helper()
		c, pid := making(t, connect(t, r.Sandbox)), r.Addresses().PIDs[sandbox.Server]
		_ = r.order(t, c.order+crashpoint.Kill)
		_, err := c.call()
		if strings.HasPrefix(c.order, "front.") && err == nil {
			t.Fatal("the server answered before it died")
		}
		r.dies(t, sandbox.Server, pid, c.order+crashpoint.Kill)
		persist(t, func() (err error) {
			w, err = c.call()
			return err
		})
		return w
	}
}

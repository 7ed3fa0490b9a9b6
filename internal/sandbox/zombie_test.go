package sandbox_test

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/testing/protocmp"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	crashpoint "github.com/dialtone/dialtone/internal/crash"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// zombie is an attempt whose worker stands still for longer than the engine waits for it, and
// then goes on as if nothing had happened.
type zombie struct {
	name   string
	moment string
	act    mobile.Act
	// number is the ending of a number that is brought along; empty for a new line.
	number string
	// copies is how many of them there are, where it takes luck to be caught; 0 is one.
	copies int
	// provoke happens before the engine takes the attempt for lost. May be nil.
	provoke func(*testing.T, grpc.ClientConnInterface, *dialtonev1.Workflow)
	// meanwhile is what comes of it while the worker stands still.
	meanwhile func(*testing.T, rig, *dialtonev1.Workflow)
	// wakes tells that the zombie brings the end: what it knows, nobody else can know.
	wakes bool
	// tellsOfLine tells that the zombie may add what it knows of the line.
	tellsOfLine bool
	// leaves is what there is at the partners in the end.
	leaves traces
}

// zombies has the attempts that have sent nothing yet several times: whether they notice that
// they are late depends on which of the worker's threads goes on first.
func zombies() []zombie {
	return []zombie{
		{
			name: "KeyedAndAnswered", moment: afterCall, act: mobile.ActActivateLine,
			meanwhile: settleNewLine, leaves: oneOfEach,
		},
		{
			name: "KeyedAndNotSent", moment: afterRow, act: mobile.ActActivateLine,
			meanwhile: settleNewLine, leaves: oneOfEach,
		},
		{
			name: "KeyedAndNotSent_Cancelled", moment: afterRow, act: mobile.ActActivateLine, copies: 4,
			provoke: cancel, meanwhile: endsCancelled,
			leaves: traces{Profiles: 1, ProfilesConfirmed: 1, ProfilesGivenBack: 1},
		},
		{
			name: "KeyedAndNotBegun_Cancelled", moment: beforeRow, act: mobile.ActActivateLine, copies: 4,
			provoke: cancel, meanwhile: endsCancelled,
			leaves: traces{Profiles: 1, ProfilesConfirmed: 1, ProfilesGivenBack: 1},
		},
		{
			name: "KeyedAndAnswered_Cancelled", moment: afterCall, act: mobile.ActActivateLine,
			// The line was there, and is no more. That it was, and its number, is a fact.
			provoke: cancel, meanwhile: endsCancelled, tellsOfLine: true, leaves: allGivenBack,
		},
		{
			name: "BlindAndAnswered", moment: afterCall, act: mobile.ActOrderProfile,
			meanwhile: func(t *testing.T, r rig, w *dialtonev1.Workflow) {
				t.Helper()
				waiting := follow(t, connect(t, r.Sandbox), w.GetActivationId(), asksOperator)
				if waiting.GetReason() != "OUTCOME_UNKNOWN" {
					t.Fatalf("it is %s, %s", waiting.GetState(), waiting.GetReason())
				}
			},
			wakes: true, leaves: oneOfEach,
		},
		{
			// The operator was wrong, and there are two. The zombie does not make it worse.
			name: "BlindAndAnswered_SentAgain", moment: afterCall, act: mobile.ActOrderProfile,
			meanwhile: func(t *testing.T, r rig, w *dialtonev1.Workflow) {
				t.Helper()
				again := newLine("")
				again.leaves = twoProfiles
				again.settle(t, r, w, sendAgain)
			},
			leaves: twoProfiles,
		},
		{
			name: "BlindAndNotSent", moment: afterRow, act: mobile.ActOrderProfile, copies: 4,
			meanwhile: settleSentAgain,
			leaves:    oneOfEach,
		},
		{
			name: "EvidencedAndAnswered", moment: afterCall, act: mobile.ActSendMail,
			meanwhile: settleNewLine, leaves: oneOfEach,
		},
		{
			name: "EvidencedAndNotSent", moment: afterRow, act: mobile.ActSendMail, copies: 4,
			meanwhile: settleSentAgain,
			leaves:    oneOfEach,
		},
		{
			name: "PortAnswered", moment: afterCall, act: mobile.ActSubmitPort, number: portsCalmly,
			meanwhile: settlePort, leaves: onePorted,
		},
		{
			name: "PortNotSent", moment: afterRow, act: mobile.ActSubmitPort, number: portsCalmly, copies: 2,
			meanwhile: settlePort, leaves: onePorted,
		},
		{
			// What is not at the carrier cannot be withdrawn there, and must not come there later.
			name: "PortNotSent_Cancelled", moment: afterRow, act: mobile.ActSubmitPort, number: neverAnswers, copies: 4,
			provoke: cancel, meanwhile: endsCancelled,
			leaves: traces{Profiles: 1, ProfilesConfirmed: 1, ProfilesGivenBack: 1, Mails: 2},
		},
	}
}

// twoProfiles are one that is in use and one that is lost.
var twoProfiles = traces{Profiles: 2, ProfilesConfirmed: 1, Lines: 1, Mails: 1}

func settleSentAgain(t *testing.T, r rig, w *dialtonev1.Workflow) {
	t.Helper()
	newLine("").settle(t, r, w, sendAgain)
}

func endsCancelled(t *testing.T, r rig, w *dialtonev1.Workflow) {
	t.Helper()
	ends(t, connect(t, r.Sandbox), w.GetActivationId(), dialtonev1.WorkflowState_WORKFLOW_STATE_CANCELLED)
}

func settlePort(t *testing.T, r rig, w *dialtonev1.Workflow) {
	t.Helper()
	ported("").settle(t, r, w, nil)
}

// TestZombie: a worker is stopped in the middle of attempts for longer than the engine waits
// for them, another worker takes over, and then the first one goes on. It sends nothing and
// writes nothing but what nobody else can know.
func TestZombie(t *testing.T) {
	r := crashing(t)
	connection := connect(t, r.Sandbox)
	all := heldZombies(t, r)
	r.stopWorker(t)
	anotherWorker(t, r)
	for _, z := range all {
		if z.provoke != nil {
			z.provoke(t, connection, z.launched)
		}
	}
	before := make([]*dialtonev1.Workflow, len(all))
	for i, z := range all {
		t.Run(z.name+"/WhileTheWorkerStandsStill", func(t *testing.T) { z.meanwhile(t, r, z.launched) })
		before[i] = asSettled(t, connection, z.launched)
	}

	r.letGo(t, all)

	for i, z := range all {
		t.Run(z.name, func(t *testing.T) { z.wantHarmless(t, r, before[i]) })
	}
}

// held is a zombie whose worker stands still.
type held struct {
	zombie

	launched *dialtonev1.Workflow
	letGo    func()
}

// heldZombies lets each of them come to its moment.
func heldZombies(t *testing.T, r rig) []held {
	t.Helper()
	connection := connect(t, r.Sandbox)
	var all []held
	for _, z := range zombies() {
		for range max(z.copies, 1) {
			order := crashpoint.Name(z.moment, string(z.act)) + crashpoint.Hold
			var launched *dialtonev1.Workflow
			if z.number != "" {
				launched = asked(t, connection, z.number)
			}
			letGo := r.order(t, order)
			if launched == nil {
				launched = launch(t, connection, sandbox.GoodIMEI)
			} else {
				gives(t, r.Sandbox, launched)
			}
			all = append(all, held{z, launched, letGo})
			r.obeyed(t, order)
		}
	}
	return all
}

// letGo lets the zombies go on, and returns when they have come to their end.
func (r rig) letGo(t *testing.T, all []held) {
	t.Helper()
	for _, z := range all {
		z.letGo()
	}
	if err := r.Resume(sandbox.Worker); err != nil {
		t.Fatal(err)
	}
	for _, z := range all {
		id := z.launched.GetActivationId()
		await(t, z.name+" goes on", func() bool { return r.hasPassed(t, z.moment, string(z.act), id+crashpoint.Hold) })
	}
	// A worker that is asked to end lets its attempts end first.
	if err := r.Restart(t.Context(), sandbox.Worker); err != nil {
		t.Fatal(err)
	}
}

func (z held) wantHarmless(t *testing.T, r rig, before *dialtonev1.Workflow) {
	t.Helper()
	connection, id := connect(t, r.Sandbox), z.launched.GetActivationId()
	if z.wakes {
		ends(t, connection, id, dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED)
	} else {
		z.wantUnchanged(t, before, asSettled(t, connection, z.launched))
	}
	if diff := cmp.Diff(z.leaves, tracesOf(t, r, id)); diff != "" {
		t.Errorf("outside there is not what should be (-want +got):\n%s", diff)
	}
}

func (z held) wantUnchanged(t *testing.T, before, after *dialtonev1.Workflow) {
	t.Helper()
	if z.tellsOfLine {
		before.Line, before.PhoneNumber = after.GetLine(), after.GetPhoneNumber()
	}
	if diff := cmp.Diff(before, after, protocmp.Transform()); diff != "" {
		t.Errorf("the zombie has changed the record (-before +after):\n%s", diff)
	}
}

// stopWorker stops it where it is, until the test ends at the latest.
func (r rig) stopWorker(t *testing.T) {
	t.Helper()
	if err := r.Pause(sandbox.Worker); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Resume(sandbox.Worker) })
}

// anotherWorker runs one beside the sandbox's own, until the test ends.
func anotherWorker(t *testing.T, r rig) {
	t.Helper()
	cmd := exec.Command(filepath.Join("..", "..", ".local", "bin", crashpoint.Tag, "worker"))
	cmd.Env = append(r.WorkerEnv(), "ADMIN_LISTEN=127.0.0.1:0")
	var said lockedBuffer
	cmd.Stdout, cmd.Stderr = &said, &said
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(stdin.Close(), cmd.Wait()); err != nil {
			t.Errorf("the other worker ended with %v: %s", err, said.String())
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if !said.await(ctx, "working") {
		t.Fatalf("the other worker does not work: %s", said.String())
	}
}

// asSettled reads an activation without what SendGrid still tells of its mail.
func asSettled(t *testing.T, connection grpc.ClientConnInterface, w *dialtonev1.Workflow) *dialtonev1.Workflow {
	t.Helper()
	settled := readWorkflow(t, connection, w.GetActivationId())
	settled.Notices, settled.Choices, settled.Revision, settled.UpdateTime = nil, nil, 0, nil
	return settled
}

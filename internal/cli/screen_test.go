package cli

import (
	"bytes"
	"context"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// screen is as much of a terminal as a watch needs.
type screen struct {
	rows []string
	row  int
}

var sequence = regexp.MustCompile(`^\x1b\[(\??)(\d*)([A-Za-z])`)

func (s *screen) write(t *testing.T, text string) {
	t.Helper()
	for text != "" {
		for len(s.rows) <= s.row {
			s.rows = append(s.rows, "")
		}
		if found := sequence.FindStringSubmatch(text); found != nil {
			s.obey(t, found[1]+found[3], found[2])
			text = text[len(found[0]):]
			continue
		}
		switch c := text[0]; c {
		case '\r':
		case '\n':
			s.row++
		case '\x1b':
			t.Fatalf("an unknown sequence: %.10q", text)
		default:
			s.rows[s.row] += string(c)
		}
		text = text[1:]
	}
}

func (s *screen) obey(t *testing.T, what, number string) {
	t.Helper()
	switch what {
	case "A":
		up, err := strconv.Atoi(number)
		if err != nil || up > s.row {
			t.Fatalf("up by %q from row %d", number, s.row)
		}
		s.row -= up
	case "K":
		s.rows[s.row] = ""
	case "J":
		s.rows = s.rows[:s.row]
	case "?l", "?h":
	default:
		t.Fatalf("an unknown sequence %s", what)
	}
}

// The screen shows the last picture and nothing of those before, also when it is shorter.
func TestScreenView(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 15, 0, 0, 0, time.UTC)
	at := func(seconds int) *timestamppb.Timestamp {
		return timestamppb.New(now.Add(time.Duration(seconds) * time.Second))
	}
	var out bytes.Buffer
	clock := now
	a := &app{env: Env{Out: &out, Now: func() time.Time { return clock }}}
	v := &screenView{app: a}
	terminal := &screen{}
	w := &dialtonev1.Workflow{
		Type: dialtonev1.WorkflowType_WORKFLOW_TYPE_MOBILE_ACTIVATION, SubscriptionId: "sub-1001",
		State: dialtonev1.WorkflowState_WORKFLOW_STATE_WAITING_FOR_OPERATOR, Since: at(-65), Deadline: at(100), CreateTime: at(-80),
		Next: "An operator looks.", Reason: "STEP_STUCK", ReasonMessage: "It does not get through.", WaitingOn: dialtonev1.Party_PARTY_OPERATOR,
		Steps: []*dialtonev1.Step{
			{Name: "check_device", State: dialtonev1.StepState_STEP_STATE_DONE, StartTime: at(-70), EndTime: at(-68), Attempts: 1},
			{
				Name: "reserve_esim", State: dialtonev1.StepState_STEP_STATE_RETRYING, StartTime: at(-65), Attempts: 4,
				Reason: "PARTNER_UNREACHABLE", NextTryTime: at(40), Deadline: at(-5),
			},
			{Name: "activate_line", State: dialtonev1.StepState_STEP_STATE_PENDING},
		},
	}
	shows := func(want string) {
		t.Helper()
		terminal.write(t, out.String())
		out.Reset()
		if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), strings.TrimSuffix(strings.Join(terminal.rows, "\n"), "\n")); diff != "" {
			t.Error(diff)
		}
	}

	if err := v.show(&dialtonev1.WatchWorkflowResponse{Workflow: w}); err != nil {
		t.Fatal(err)
	}
	shows(`
WAITING FOR OPERATOR  for 1m 5s, since 2026-03-04 14:58:55 UTC
Mobile Activation, new line, sub-1001
  done      check_device   took 2s
  retrying  reserve_esim   for 1m 5s  PARTNER_UNREACHABLE, 4 tries, next try in 40s, overdue by 5s
  pending   activate_line
Why:  STEP_STUCK: It does not get through.
Next: An operator looks. (in 1m 40s)
Acts: an operator
Ctrl-C lets go; the work goes on.`)

	clock = now.Add(50 * time.Second)
	v.say("connection lost, trying again in 1s")
	if err := v.tick(); err != nil {
		t.Fatal(err)
	}
	shows(`
WAITING FOR OPERATOR  for 1m 55s, since 2026-03-04 14:58:55 UTC
Mobile Activation, new line, sub-1001
  done      check_device   took 2s
  retrying  reserve_esim   for 1m 55s  PARTNER_UNREACHABLE, 4 tries, trying again now, overdue by 55s
  pending   activate_line
Why:  STEP_STUCK: It does not get through.
Next: An operator looks. (in 50s)
Acts: an operator
connection lost, trying again in 1s`)

	v.say("")
	w = &dialtonev1.Workflow{
		Type: w.GetType(), SubscriptionId: "sub-1001", State: dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED,
		CreateTime: at(-80), EndTime: at(45), PhoneNumber: "+13105550123",
	}
	if err := v.show(&dialtonev1.WatchWorkflowResponse{Workflow: w}); err != nil {
		t.Fatal(err)
	}
	if err := v.leave(); err != nil {
		t.Fatal(err)
	}
	shows(`
SUCCEEDED  5s ago (2026-03-04 15:00:45 UTC), after 2m 5s
Mobile Activation, new line, sub-1001, +13105550123`)
}

// The waits between tries grow up to a bound and begin anew after a message.
func TestKeep_BacksOff(t *testing.T) {
	t.Parallel()
	var waits []time.Duration
	a := &app{env: Env{After: func(d time.Duration) <-chan time.Time {
		waits = append(waits, d)
		over := make(chan time.Time, 1)
		over <- time.Time{}
		return over
	}}}
	var said []string
	opened := 0

	err := a.keep(t.Context(), stream{
		known: true,
		say:   func(words string) { said = append(said, words) },
		open: func(_ context.Context, alive func()) error {
			opened++
			switch opened {
			case 8:
				alive()
				return errNotOver
			case 10:
				return nil
			default:
				return errNotOver
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}

	want := []time.Duration{
		500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second, 15 * time.Second,
		500 * time.Millisecond, time.Second,
	}
	if diff := cmp.Diff(want, waits); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("connection lost, trying again in 1s", said[len(said)-1]); diff != "" {
		t.Error(diff)
	}
}

package workflows

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/dialtone/dialtone/internal/mobile"
)

// Policies are the durations of an activation. They are part of a run's input: tests
// shorten them, and a run keeps those that it began with. Fields are only ever added, and a
// zero field means its default.
type Policies struct {
	// Patience is how long a step may fail to get through before an operator is asked. It
	// goes on trying meanwhile and afterwards.
	Patience Duration `json:"patience,omitzero"`
	// LinePoll is the wait between two looks at a line that is coming up, should the
	// carrier's event not arrive.
	LinePoll Duration `json:"line_poll,omitzero"`
	// LinePatience is how long a line may be coming up before an operator is asked.
	LinePatience Duration `json:"line_patience,omitzero"`
	// OperatorDue is when an operator's answer is overdue. Nothing ends by itself then.
	OperatorDue Duration `json:"operator_due,omitzero"`
	// Evidence is how long a partner's events are waited for once an answer was lost, before an
	// operator is asked.
	Evidence Duration `json:"evidence,omitzero"`
	// RetryFirst and RetryMax bound the wait between two attempts, which doubles each time.
	RetryFirst Duration `json:"retry_first,omitzero"`
	RetryMax   Duration `json:"retry_max,omitzero"`
	// Port is for those that bring a number along.
	Port PortPolicies `json:"port,omitzero"`
}

// PortPolicies are the durations of a port.
type PortPolicies struct {
	// Always counts every hour as a business hour, and reminds by night too: for rehearsals.
	Always bool `json:"always,omitempty"`
	// PromptLife is how long a question to the customer stands, WaitInAll how long customers
	// are waited for in all, from the launch.
	PromptLife Duration `json:"prompt_life,omitzero"`
	WaitInAll  Duration `json:"wait_in_all,omitzero"`
	// Reminders are when reminders of a question are due, from its opening.
	Reminders []Duration `json:"reminders,omitempty"`
	// PortabilityFor is how long the carrier's word on a number holds.
	PortabilityFor Duration `json:"portability_for,omitzero"`
	// The rest is mobile.PortClock.
	PollFirst        Duration `json:"poll_first,omitzero"`
	PollFirstFor     Duration `json:"poll_first_for,omitzero"`
	PollThen         Duration `json:"poll_then,omitzero"`
	PollWired        Duration `json:"poll_wired,omitzero"`
	SilentWireless   Duration `json:"silent_wireless,omitzero"`
	ExpectedLandline Duration `json:"expected_landline,omitzero"`
	ExpectedVoIP     Duration `json:"expected_voip,omitzero"`
	SilentMost       Duration `json:"silent_most,omitzero"`
	LateWireless     Duration `json:"late_wireless,omitzero"`
	LateWired        Duration `json:"late_wired,omitzero"`
	CancelSilent     Duration `json:"cancel_silent,omitzero"`
}

// Defaults are what runs live by unless their launch says otherwise.
func Defaults() Policies {
	return Policies{
		Patience:     Duration(15 * time.Minute),
		LinePoll:     Duration(30 * time.Second),
		LinePatience: Duration(15 * time.Minute),
		OperatorDue:  Duration(3 * 24 * time.Hour),
		Evidence:     Duration(15 * time.Minute),
		RetryFirst:   Duration(time.Second),
		RetryMax:     Duration(5 * time.Minute),
		Port:         portDefaults(),
	}
}

const day = 24 * time.Hour

func portDefaults() PortPolicies {
	c := mobile.DefaultPortClock()
	p := PortPolicies{
		PromptLife: Duration(30 * day), WaitInAll: Duration(60 * day), PortabilityFor: Duration(day),
		PollFirst: Duration(c.PollFirst), PollFirstFor: Duration(c.PollFirstFor), PollThen: Duration(c.PollThen),
		PollWired: Duration(c.PollWired), SilentWireless: Duration(c.SilentWireless),
		ExpectedLandline: Duration(c.ExpectedLandline), ExpectedVoIP: Duration(c.ExpectedVoIP), SilentMost: Duration(c.SilentMost),
		LateWireless: Duration(c.LateWireless), LateWired: Duration(c.LateWired), CancelSilent: Duration(c.CancelSilent),
	}
	for _, offset := range mobile.ReminderOffsets() {
		p.Reminders = append(p.Reminders, Duration(offset))
	}
	return p
}

// clock is what the durations of a port's carrier and donor amount to.
func (p PortPolicies) clock() mobile.PortClock {
	return mobile.PortClock{
		Always: p.Always, PollFirst: time.Duration(p.PollFirst), PollFirstFor: time.Duration(p.PollFirstFor),
		PollThen: time.Duration(p.PollThen), PollWired: time.Duration(p.PollWired), SilentWireless: time.Duration(p.SilentWireless),
		ExpectedLandline: time.Duration(p.ExpectedLandline), ExpectedVoIP: time.Duration(p.ExpectedVoIP),
		SilentMost: time.Duration(p.SilentMost), LateWireless: time.Duration(p.LateWireless), LateWired: time.Duration(p.LateWired),
		CancelSilent: time.Duration(p.CancelSilent),
	}
}

// reminders are the offsets, and the part of a day in which reminders go out.
func (p PortPolicies) reminders() (offsets []time.Duration, window mobile.Window) {
	for _, offset := range p.Reminders {
		offsets = append(offsets, time.Duration(offset))
	}
	if !p.Always {
		window = mobile.ReminderWindow()
	}
	return offsets, window
}

// ParsePolicies reads policies as JSON, as in {"patience":"20s"}; empty text means the
// defaults. It refuses unknown fields and durations that are not positive.
func ParsePolicies(text string) (Policies, error) {
	var p Policies
	if text != "" {
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&p); err != nil {
			return Policies{}, fmt.Errorf("read policies: %w", err)
		}
	}
	return p.withDefaults(), nil
}

func (p Policies) withDefaults() Policies {
	d := Defaults()
	for _, field := range []struct{ value, fallback *Duration }{
		{&p.Patience, &d.Patience},
		{&p.LinePoll, &d.LinePoll},
		{&p.LinePatience, &d.LinePatience},
		{&p.OperatorDue, &d.OperatorDue},
		{&p.Evidence, &d.Evidence},
		{&p.RetryFirst, &d.RetryFirst},
		{&p.RetryMax, &d.RetryMax},
		{&p.Port.PromptLife, &d.Port.PromptLife},
		{&p.Port.WaitInAll, &d.Port.WaitInAll},
		{&p.Port.PortabilityFor, &d.Port.PortabilityFor},
		{&p.Port.PollFirst, &d.Port.PollFirst},
		{&p.Port.PollFirstFor, &d.Port.PollFirstFor},
		{&p.Port.PollThen, &d.Port.PollThen},
		{&p.Port.PollWired, &d.Port.PollWired},
		{&p.Port.SilentWireless, &d.Port.SilentWireless},
		{&p.Port.ExpectedLandline, &d.Port.ExpectedLandline},
		{&p.Port.ExpectedVoIP, &d.Port.ExpectedVoIP},
		{&p.Port.SilentMost, &d.Port.SilentMost},
		{&p.Port.LateWireless, &d.Port.LateWireless},
		{&p.Port.LateWired, &d.Port.LateWired},
		{&p.Port.CancelSilent, &d.Port.CancelSilent},
	} {
		if *field.value == 0 {
			*field.value = *field.fallback
		}
	}
	if p.Port.Reminders == nil {
		p.Port.Reminders = d.Port.Reminders
	}
	return p
}

// Duration is a time.Duration that JSON writes as "1h30m".
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	switch {
	case err != nil:
		return fmt.Errorf("read a duration such as 15m: %w", err)
	case parsed <= 0:
		return fmt.Errorf("read a duration: %s is not positive", parsed)
	}
	*d = Duration(parsed)
	return nil
}

// Of the calls themselves.
const (
	// callTimeout bounds one attempt at an act. It is longer than two calls to a partner (10 s
	// each; reserve_esim makes two) and the writes to the ledger after them (15 s each).
	callTimeout = time.Minute
	// recordTimeout bounds one attempt at book-keeping.
	recordTimeout = 20 * time.Second
	// recordRetryMax is how long book-keeping waits at most between two attempts.
	recordRetryMax = 15 * time.Second
)

// acting are the options of an act: tried for as long as it takes.
func (p Policies) acting(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: callTimeout,
		WaitForCancellation: true,
		Summary:             summary,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    time.Duration(p.RetryFirst),
			BackoffCoefficient: 2,
			MaximumInterval:    time.Duration(p.RetryMax),
			// Not 0, which means for ever too: the SDK's test environment reads it as ten.
			MaximumAttempts: math.MaxInt32,
		},
	})
}

// keeping are the options of book-keeping, which nobody waits for with patience.
func keeping(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: recordTimeout,
		Summary:             summary,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    time.Second,
			BackoffCoefficient: 2,
			MaximumInterval:    recordRetryMax,
			MaximumAttempts:    math.MaxInt32,
		},
	})
}

package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/dialtone/dialtone/activities"
	"github.com/dialtone/dialtone/internal/mobile"
)

// customerQuestion is what the customer is asked.
type customerQuestion struct {
	// step waits for the answer, and done tells that it is done with it.
	step   mobile.StepName
	done   bool
	kind   mobile.PromptKind
	reason string
}

// askCustomer asks the customer in the portal and by mail, and waits for the answer, which the
// port then shows. It returns how the port is left, when that is the answer; errExpired when
// none came; and nothing when the question fell away.
func (a *activation) askCustomer(ctx workflow.Context, q customerQuestion) error {
	if err := a.openPrompt(ctx, q); err != nil {
		return err
	}
	kind := mobile.NoticeActionRequired
	if q.kind == mobile.PromptProvideInfo {
		kind = mobile.NoticeDetailsNeeded
	}
	defer a.mailCustomer(ctx, a.notice(kind, 0))()
	if err := a.awaitCustomer(ctx); err != nil {
		return err
	}
	a.asking = false
	switch {
	case a.exits():
		return a.exit()
	case a.port.Answer == nil: // the question fell away: the donor has changed its mind
		return a.goOn(ctx, q.step.Title())
	}
	after := answered{next: q.step.Title()}
	if q.done {
		after.done = q.step
	}
	return a.takeAnswer(ctx, a.port.Answer, after)
}

// openPrompt opens the question, unless it is open: a lost run may have asked it.
func (a *activation) openPrompt(ctx workflow.Context, q customerQuestion) error {
	a.asking, a.about, a.since = true, q.step, workflow.Now(ctx)
	p := a.port.Prompt
	if p.Open && p.Kind == q.kind && p.Reason == q.reason {
		return a.showWaiting(ctx)
	}
	now := workflow.Now(ctx)
	in := activities.AskCustomerInput{
		Ref: a.ref(""), Port: a.port.ID, About: q.step, Kind: q.kind, Reason: q.reason, After: p.Revision, At: now,
		Deadline: a.promptDeadline(now),
	}
	in.NextReminder = a.reminderAfter(now, 0, in.Deadline)
	var facts activities.PortFacts
	err := workflow.ExecuteActivity(keeping(ctx, "Ask the customer: "+string(q.kind)+" "+q.reason), record.AskCustomer, in).Get(ctx, &facts)
	if err != nil {
		return err
	}
	a.hear(&facts)
	return a.showWaiting(ctx)
}

// promptDeadline is when a question that opens now lapses. Customers are not waited for longer
// than so long in all.
func (a *activation) promptDeadline(now time.Time) time.Time {
	deadline := now.Add(time.Duration(a.policies.Port.PromptLife))
	if last := a.launched.Add(time.Duration(a.policies.Port.WaitInAll)); last.Before(deadline) {
		return last
	}
	return deadline
}

// reminderAfter is when the next reminder goes out, after so many; zero when none is left.
func (a *activation) reminderAfter(opened time.Time, sent int, deadline time.Time) time.Time {
	offsets, window := a.policies.Port.reminders()
	at, _ := mobile.ReminderAt(opened, sent, offsets, deadline, window, mobile.ZoneNamed(a.customerZone))
	return at
}

// awaitCustomer waits for an answer, and reminds. It returns also when the question has fallen
// away.
func (a *activation) awaitCustomer(ctx workflow.Context) error {
	over := func() bool { return a.port.Answer != nil || a.stopped() || !a.port.Prompt.Open }
	for !over() {
		p, now := a.port.Prompt, workflow.Now(ctx)
		switch {
		case !now.Before(p.Deadline):
			return a.lapse(ctx)
		case !p.NextReminder.IsZero() && !now.Before(p.NextReminder):
			if err := a.remind(ctx); err != nil {
				return err
			}
			continue
		}
		until, summary := p.Deadline, "End unless the customer answers"
		if !p.NextReminder.IsZero() && p.NextReminder.Before(until) {
			until, summary = p.NextReminder, "Remind the customer"
		}
		moved := func() bool {
			return over() || a.port.Prompt.NextReminder != p.NextReminder || a.port.Prompt.Deadline != p.Deadline
		}
		if _, err := waitFor(ctx, until.Sub(now), summary, moved); err != nil {
			return err
		}
	}
	if a.stopped() {
		return errCancelled
	}
	return nil
}

// lapse ends the question, unless the answer came in the very moment.
func (a *activation) lapse(ctx workflow.Context) error {
	var facts activities.PortFacts
	in := activities.PromptInput{Ref: a.ref(""), Revision: a.port.Prompt.Revision}
	if err := workflow.ExecuteActivity(keeping(ctx, "The customer's time is over"), record.LapsePrompt, in).Get(ctx, &facts); err != nil {
		return err
	}
	a.hear(&facts)
	if a.port.Answer != nil {
		return nil
	}
	return errExpired
}

// remind mails a reminder and says when the next one is due.
func (a *activation) remind(ctx workflow.Context) error {
	p := a.port.Prompt
	in := activities.PromptInput{
		Ref: a.ref(""), Revision: p.Revision, Nth: p.Reminders + 1, Next: a.reminderAfter(p.Opened, p.Reminders+1, p.Deadline),
	}
	var facts activities.PortFacts
	if err := workflow.ExecuteActivity(keeping(ctx, "Remind the customer"), record.CountReminder, in).Get(ctx, &facts); err != nil {
		return err
	}
	a.hear(&facts)
	if a.port.Prompt.Open {
		a.mailCustomer(ctx, a.notice(mobile.NoticeReminder, in.Nth))
	}
	return nil
}

// answered says what comes of an answer for the steps.
type answered struct {
	done   mobile.StepName
	reopen []mobile.StepName
	next   string
}

// takeAnswer takes up what the customer has said; nothing when that is nothing.
func (a *activation) takeAnswer(ctx workflow.Context, answer *activities.AnswerFacts, after answered) error {
	if answer == nil {
		return nil
	}
	in := activities.AnswerInput{
		Ref: a.ref(""), Submission: answer.Submission, Done: after.done, Reopen: after.reopen, Next: after.next, At: workflow.Now(ctx),
	}
	var facts activities.PortFacts
	err := workflow.ExecuteActivity(keeping(ctx, "Take up the customer's answer: "+string(answer.Act)), record.TakeAnswer, in).Get(ctx, &facts)
	if err != nil {
		return err
	}
	a.hear(&facts)
	if after.done != "" {
		a.marks[after.done] = markDone
	}
	return a.showPort(ctx)
}

// notice is a mail about the question that is open now.
func (a *activation) notice(kind mobile.NoticeKind, turn int) activities.NoticeInput {
	return activities.NoticeInput{
		Ref: a.ref(""), Kind: kind, Revision: a.port.Prompt.Revision, Turn: turn, Evidence: time.Duration(a.policies.Evidence),
	}
}

// mailCustomer sends a mail while the run goes on, and gives what calls it off.
func (a *activation) mailCustomer(ctx workflow.Context, in activities.NoticeInput) (callOff func()) {
	ctx, callOff = workflow.WithCancel(a.policies.acting(ctx, "Mail the customer: "+string(in.Kind)))
	workflow.Go(ctx, func(ctx workflow.Context) {
		if err := workflow.ExecuteActivity(ctx, mails.SendNotice, in).Get(ctx, nil); err != nil && ctx.Err() == nil {
			workflow.GetLogger(ctx).Warn("a mail to the customer was not sent", "kind", in.Kind, "error", err)
		}
	})
	return callOff
}

// mailTheEnd mails how it ended, and waits for that no longer than patience: then an operator
// is told that the customer does not know.
func (a *activation) mailTheEnd(ctx workflow.Context, kind mobile.NoticeKind, reason string) error {
	in := activities.NoticeInput{Ref: a.ref(""), Kind: kind, Reason: reason, Evidence: time.Duration(a.policies.Evidence)}
	actCtx, callOff := workflow.WithCancel(a.policies.acting(ctx, "Mail the customer: "+string(kind)))
	defer callOff()
	sent := workflow.ExecuteActivity(actCtx, mails.SendNotice, in)
	ready, err := waitFor(ctx, time.Duration(a.policies.Patience), "End without the mail", sent.IsReady)
	if err != nil || ready && sent.Get(ctx, nil) == nil {
		return err
	}
	return workflow.ExecuteActivity(keeping(ctx, "Tell an operator that the customer has no mail"), mails.NoteNotSent, in).Get(ctx, nil)
}

package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/dialtone/dialtone/activities"
	"github.com/dialtone/dialtone/internal/mobile"
)

// FollowUpResult is how a follow-up ended.
type FollowUpResult struct {
	State mobile.FollowUpState `json:"state"`
}

// FollowUp does what is to be done about an activation beside its own run, mostly after its
// end. The line is live: nothing that it does takes it down.
func FollowUp(root workflow.Context, in ActivationInput) (FollowUpResult, error) {
	ctx, stop := workflow.NewDisconnectedContext(root)
	defer stop()
	a := &activation{in: in, policies: in.Policies.withDefaults(), marks: make(map[mobile.StepName]mark), live: true}
	if err := a.listen(root, ctx); err != nil {
		return FollowUpResult{}, err
	}
	opened, err := a.openFollowUp(ctx)
	switch {
	case err != nil:
		return FollowUpResult{}, err
	case opened.Ended != "":
		return FollowUpResult{State: opened.Ended}, nil
	}
	if opened.Lost {
		// Whatever the lost run did stands in the ledger; a person decides when to go on.
		if err := a.askUntilDecided(ctx, question{kind: mobile.ItemRunLost, step: a.errand, reason: reasonRunLost}); err != nil {
			return FollowUpResult{}, err
		}
	}
	errands := map[mobile.FollowUpKind]func(workflow.Context) error{
		mobile.FollowUpResend: a.resend, mobile.FollowUpReplace: a.replace, mobile.FollowUpLink: a.sendLink,
	}
	return a.concludeFollowUp(ctx, errands[opened.Kind](ctx))
}

// openFollowUp claims the follow-up's row for this run.
func (a *activation) openFollowUp(ctx workflow.Context) (opened activities.OpenedFollowUp, err error) {
	in := activities.OpenInput{Ref: a.ref(""), RunID: workflow.GetInfo(ctx).WorkflowExecution.RunID}
	err = workflow.ExecuteActivity(keeping(ctx, "Open the follow-up"), a.does(record.OpenFollowUp), in).Get(ctx, &opened)
	a.sub, a.errand = opened.Subscription, opened.Kind.Step()
	a.plan = errandPlan(opened.Kind)
	return opened, err
}

// errandPlan lists the steps of a follow-up, for the details.
func errandPlan(kind mobile.FollowUpKind) []mobile.StepName {
	if kind == mobile.FollowUpReplace {
		return []mobile.StepName{
			mobile.StepReserveESIM, mobile.StepChangeSIM, mobile.StepSendActivationEmail, mobile.StepRetireESIM,
		}
	}
	if kind == mobile.FollowUpLink {
		return []mobile.StepName{mobile.StepSendPortalLink}
	}
	return []mobile.StepName{mobile.StepSendActivationEmail}
}

// resend sends a mail that was prepared when it was asked for.
func (a *activation) resend(ctx workflow.Context) error { return a.sendActivationEmail(ctx) }

// sendLink sends a mail with a new link, which was prepared when it was asked for. Nobody is
// asked about it: who has no mail asks again.
func (a *activation) sendLink(ctx workflow.Context) error {
	in := activities.NoticeInput{Ref: a.ref(""), Kind: mobile.NoticePortalLink, Evidence: time.Duration(a.policies.Evidence)}
	ctx = a.policies.acting(ctx, "Mail the customer a new link")
	return workflow.ExecuteActivity(ctx, a.does(mails.SendNotice), in).Get(ctx, nil)
}

// replace gives the customer another eSIM on the same line. The old one is retired once the
// line is on the new one: until then it is what the customer telephones with.
func (a *activation) replace(ctx workflow.Context) error {
	if err := a.reserveESIM(ctx); err != nil {
		return err
	}
	if err := a.changeSIM(ctx); err != nil {
		return err
	}
	// The old eSIM is dead from here on: there is no way back, and nothing is given back.
	a.undos = nil
	if err := a.sendActivationEmail(ctx); err != nil {
		return err
	}
	return a.step(ctx, step{
		name: mobile.StepRetireESIM, act: profiles.RetireProfile, summary: "Retire the old eSIM",
	})
}

// changeSIM puts the new eSIM on the line and waits until a read shows it.
func (a *activation) changeSIM(ctx workflow.Context) error {
	err := a.step(ctx, step{
		name: mobile.StepChangeSIM, part: activities.PartFirst, act: lines.ChangeSIM, summary: "Put the new eSIM on the line",
	})
	if err != nil {
		return err
	}
	return a.step(ctx, step{
		name: mobile.StepChangeSIM, part: activities.PartAwait, act: lines.ConfirmSIM, summary: "Read the line until it shows the new eSIM",
		patience: time.Duration(a.policies.LinePatience),
	})
}

// concludeFollowUp gives back what a follow-up that was given up has taken, and ends it.
func (a *activation) concludeFollowUp(ctx workflow.Context, err error) (FollowUpResult, error) {
	result := FollowUpResult{State: mobile.FollowUpDone}
	switch {
	case errors.Is(err, errGivenUp):
		result.State = mobile.FollowUpGivenUp
		if err := a.undoAll(ctx); err != nil {
			return FollowUpResult{}, err
		}
	case err != nil:
		return FollowUpResult{}, err
	}
	if err := a.overtake(ctx); err != nil {
		return FollowUpResult{}, err
	}
	in := activities.EndFollowUpInput{Ref: a.ref(""), To: result.State, At: workflow.Now(ctx)}
	ended := workflow.ExecuteActivity(keeping(ctx, "End: "+string(result.State)), a.does(record.EndFollowUp), in)
	if err := ended.Get(ctx, nil); err != nil {
		return FollowUpResult{}, err
	}
	return result, a.finish(ctx, ActivationResult{State: mobile.State(result.State)})
}

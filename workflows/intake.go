package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/dialtone/dialtone/activities"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// listen takes in what arrives while the run goes on. Receivers are set up before the first
// act, so that nothing that arrives early is lost.
func (a *activation) listen(root, ctx workflow.Context) error {
	knocks := workflow.GetSignalChannelWithOptions(ctx, intakeSignal, workflow.SignalChannelOptions{
		Description: intakeSignalDescription,
	})
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var intake Intake
			knocks.Receive(ctx, &intake)
			a.knocks++
		}
	})
	workflow.Go(ctx, a.look)
	if a.in.FollowUp == "" {
		workflow.Go(ctx, func(ctx workflow.Context) { a.heedEngineCancel(root, ctx) })
	}
	a.showDetails(ctx)
	return a.heedDecisions(ctx)
}

// look reads the record each time that something has arrived. One look serves all that
// arrived before it.
func (a *activation) look(ctx workflow.Context) {
	for {
		if err := workflow.Await(ctx, func() bool { return a.knocks > a.looks }); err != nil {
			return
		}
		a.looks = a.knocks
		if err := a.readFacts(ctx, "Read what arrived"); err != nil {
			workflow.GetLogger(ctx).Error("cannot read what arrived", "error", err)
			continue
		}
		a.showDetails(ctx)
	}
}

// readFacts reads what the outside has said.
func (a *activation) readFacts(ctx workflow.Context, summary string) error {
	var facts activities.Facts
	err := workflow.ExecuteActivity(keeping(ctx, summary), a.does(record.TakeFacts), a.ref("")).Get(ctx, &facts)
	if err == nil {
		a.take(facts)
	}
	return err
}

// take makes facts the run's own.
func (a *activation) take(facts activities.Facts) {
	a.cancelled = a.cancelled || facts.Cancelled
	a.lineEvent = a.lineEvent || facts.LineEvents
	a.settled = a.settled || facts.Settled
	a.hear(facts.Port)
}

// hear makes a reading of the port the run's own. Of two readings the later one counts: they
// may come crosswise. One of a port that the run
// is done with counts no more, and none of another while one is withdrawn.
func (a *activation) hear(port *activities.PortFacts) {
	if port == nil || slices.Contains(a.left, port.ID) || a.pinned != "" && a.pinned != port.ID || port.ID == a.port.ID && port.Version < a.port.Version {
		return
	}
	after := a.port.InstallAfterMove && a.port.ID == port.ID // only the carrier's own activities know
	a.port = *port
	a.port.InstallAfterMove = a.port.InstallAfterMove || after
}

// heedEngineCancel files a cancel that was asked for in the Temporal UI, as a wish under the
// rules of any other: too late is too late.
func (a *activation) heedEngineCancel(root, ctx workflow.Context) {
	root.Done().Receive(ctx, nil)
	in := activities.FileCancelInput{
		Ref: a.ref(""), By: mobile.Doer{Principal: mobile.PrincipalOperator, Actor: "the Temporal UI"},
	}
	err := workflow.ExecuteActivity(keeping(ctx, "File the cancel from the Temporal UI"), a.does(record.FileCancel), in).Get(ctx, nil)
	switch {
	case err == nil:
		a.cancelled = true
		a.showDetails(ctx)
	case activities.Failed(err, store.ErrTooLateToCancel):
		a.note = "A cancel came from the Temporal UI, too late: the line is live."
		a.showDetails(ctx)
	default:
		workflow.GetLogger(ctx).Warn("the cancel from the Temporal UI was not accepted", "error", err)
	}
}

package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/dialtone/dialtone/activities"
	"github.com/dialtone/dialtone/internal/mobile"
)

// Reasons of ends that the customer brought about.
const (
	reasonCustomerSilent  = "CUSTOMER_SILENT"
	reasonCustomerStopped = "CANCELLED_BY_CUSTOMER"
)

// letGo withdraws what is at the carrier of a port, and waits for its word: only the carrier
// knows whether the number still moves. It tells whether it has moved.
func (a *activation) letGo(ctx workflow.Context) (moved bool, err error) {
	a.pinned = a.port.ID
	defer func() { a.pinned = "" }()
	// What was under way when it was called off may have reached the carrier since the last reading.
	if err := a.readFacts(ctx, "Read the port before it is given up"); err != nil {
		return false, err
	}
	if a.port.State == mobile.PortCompleted || !a.port.Ordered {
		return a.port.State == mobile.PortCompleted, nil
	}
	a.asking = false
	if err := a.goOn(ctx, "Withdraw the order at the carrier"); err != nil {
		return false, err
	}
	s := a.portStep(mobile.StepSubmitPort, activities.PartFirst, ports.WithdrawPort, "Withdraw the order at the carrier")
	s.withdraws = true
	if err := a.takePort(ctx, s); err != nil {
		return false, err
	}
	if a.port.State == mobile.PortCancelling {
		s = a.portPoll(mobile.StepSubmitPort, activities.WaitCancel, "Wait for the carrier's word on the cancel")
		s.withdraws, s.patience = true, time.Duration(a.policies.Port.CancelSilent)
		if err := a.takePort(ctx, s); err != nil {
			return false, err
		}
	}
	return a.port.State == mobile.PortCompleted, nil
}

// goOn lets an activation that waited go on.
func (a *activation) goOn(ctx workflow.Context, next string) error {
	move := activities.MoveInput{Ref: a.ref(""), To: mobile.StateRunning, Next: next, At: workflow.Now(ctx)}
	return workflow.ExecuteActivity(keeping(ctx, next), record.MoveActivation, move).Get(ctx, nil)
}

// closePort ends a port that is not at the carrier, or lets it be ordered anew.
func (a *activation) closePort(ctx workflow.Context, in activities.ClosePortInput) error {
	in.At = workflow.Now(ctx)
	var facts activities.PortFacts
	if err := workflow.ExecuteActivity(keeping(ctx, "Close the port"), record.ClosePort, in).Get(ctx, &facts); err != nil {
		return err
	}
	if !in.Anew {
		a.left = append(a.left, in.Port)
	}
	a.hear(&facts)
	return a.showPort(ctx)
}

// unlessMoved gives up the port of a journey that ended otherwise than well. A number that has
// moved all the same takes the activation forward: a line that somebody telephones with is
// never taken down by anything automatic.
func (a *activation) unlessMoved(ctx workflow.Context, end error) error {
	_, refused := errors.AsType[*refusedError](end)
	if a.port.ID == "" || a.live || !refused && !errors.Is(end, errCancelled) && !errors.Is(end, errStopped) && !errors.Is(end, errExpired) {
		return end
	}
	switch moved, err := a.letGo(ctx); {
	case err != nil:
		return err
	case moved:
		if err := a.movedAllTheSame(ctx); err != nil {
			return err
		}
		return a.onTheAir(ctx)
	}
	return end
}

// movedAllTheSame goes forward with a number that was called off, and tells the customer.
func (a *activation) movedAllTheSame(ctx workflow.Context) error {
	a.noteMoved()
	if err := a.goOn(ctx, mobile.StepAwaitPort.Title()); err != nil {
		return err
	}
	return a.confirmPorted(ctx)
}

// noteMoved says that the number moved although that was called off.
func (a *activation) noteMoved() {
	a.moved, a.tellMoved = true, true
	a.note = "The number moved although that was called off. Nothing is taken down."
}

// tellEnd tells the customer of a port that did not come about.
func (a *activation) tellEnd(ctx workflow.Context, result ActivationResult) error {
	if a.port.ID == "" || a.live {
		return nil
	}
	return a.mailTheEnd(ctx, mobile.NoticeDidNotWorkOut, result.Reason)
}

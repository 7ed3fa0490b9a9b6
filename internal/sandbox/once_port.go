package sandbox

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// refusedOnce is the ending of the numbers whose donor refuses the PIN once.
const refusedOnce = "01"

// The subjects of the mails that ask a customer.
const (
	detailsSubject = "We need a few details to bring your number"
	actionSubject  = "Action required: your mobile activation"
)

// PortingInfo is what a customer of GoodDonor knows about the old account, with this PIN.
func PortingInfo(pin string) *dialtonev1.UsPortingInfo {
	inService := true
	return &dialtonev1.UsPortingInfo{
		AccountNumber: "2875-4410-9927", Pin: pin, AccountZip: "90026", FirstName: "Grace", LastName: "Hopper",
		AddressLine: "1906 Compiler Way", City: "Los Angeles", Region: "CA", NumberInService: &inService, AcceptsLineLosses: true,
	}
}

// The PINs of the journey: an old one, and the one that the customer gets after the refusal.
const (
	journeyOldPIN = "7XK2-OLD"
	journeyNewPIN = "9QM4-NEW"
)

// playPort plays the journey of a number that is brought along: the donor refuses the PIN, the
// customer corrects it, and the number moves.
func (s *Sandbox) playPort(ctx context.Context, connection grpc.ClientConnInterface) error {
	if !s.settings.pretends("CARRIER_URL") {
		return errors.New("the journey of a port needs the pretend carrier, whose donors refuse once: unset CARRIER_URL")
	}
	customer := Customer{Name: "Grace Hopper", Email: "grace@customer.example"}
	launched, err := LaunchPort(ctx, connection, customer, refusedOnce)
	if err != nil {
		return err
	}
	number := launched.GetPort().GetPhoneNumber()
	s.settings.config.tell("\n%s brings %s along, on the subscription %s.\n", customer.Name, number, launched.GetSubscriptionId())
	ended, err := s.accompany(ctx, connection, launched.GetActivationId())
	if err != nil {
		return err
	}
	seen := &evidence{sandbox: s, connection: connection, workflow: ended, ported: number}
	return s.check(ctx, seen.ofPort())
}

// accompany tells of an activation and answers for its customer, until it has ended.
func (s *Sandbox) accompany(ctx context.Context, connection grpc.ClientConnInterface, activation string) (*dialtonev1.Workflow, error) {
	story := newStory(s.settings.config)
	for {
		w, err := Follow(ctx, connection, activation, story.hear)
		if err != nil {
			return w, fmt.Errorf("watch the activation: %w", err)
		}
		if w.GetEndTime() != nil || !story.asks(w) {
			return w, endedUnaided(w)
		}
		subject, pin := detailsSubject, journeyOldPIN
		if w.GetPort().GetPrompt().GetKind() != dialtonev1.PromptKind_PROMPT_KIND_PROVIDE_INFO {
			subject, pin = actionSubject, journeyNewPIN
		}
		visitor := visitor{sandbox: s, activation: activation, knows: PortingInfo(pin)}
		if story.answered, err = visitor.answer(ctx, subject, story); err != nil {
			return w, err
		}
	}
}

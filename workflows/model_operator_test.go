package workflows_test

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/esim"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/workflows"
)

// operator answers what is asked: by the program first, then in the likeliest way. He never
// lies: DONE is said only of what the partner's journal shows, or of what he has done himself.
type operator struct {
	w       *world
	answers []int
	looks   int
	told    []answer
}

// answer is one decision that was filed.
type answer struct {
	command store.Command
	item    mobile.Item
	// orders and mails are how many entries the journals had then.
	orders, mails int
}

// look answers one open question.
func (o *operator) look() {
	a := o.w.now(o.w.t)
	questions := slices.DeleteFunc(a.OpenItems(), func(i mobile.Item) bool {
		switch i.Kind {
		case mobile.ItemStepStuck, mobile.ItemOutcomeUnknown, mobile.ItemStepRefused, mobile.ItemRunLost:
			return false
		case mobile.ItemNumberAtRisk, mobile.ItemMailNotDelivered, mobile.ItemInstallFailed, mobile.ItemCarrierSilent,
			mobile.ItemTooManyRefusals, mobile.ItemPortRefused, mobile.ItemOddEvent, mobile.ItemDoesNotWork:
		}
		return true
	})
	if len(questions) == 0 {
		return
	}
	o.looks++
	item := questions[o.looks%len(questions)]
	offers := item.Question(!a.Live.IsZero()).Offers()
	for _, choice := range o.inOrder(item, offers) {
		if said, ok := o.truth(item, choice); ok {
			o.decide(item, choice, said)
			return
		}
	}
}

// inOrder is what the operator would like to say, best first; nothing lets it wait.
func (o *operator) inOrder(item mobile.Item, offers []mobile.Resolution) []mobile.Resolution {
	if len(o.answers) == 0 {
		if item.Kind == mobile.ItemStepStuck && o.w.clock().Sub(o.w.began) < impatientAfter {
			return nil
		}
		return offers
	}
	drawn := o.answers[0] % (len(offers) + 1)
	o.answers = o.answers[1:]
	if drawn == len(offers) {
		return nil
	}
	return append(offers[drawn:drawn+1:drawn+1], offers...)
}

// truth tells whether a choice may be said, and with which reference.
func (o *operator) truth(item mobile.Item, choice mobile.Resolution) (said string, ok bool) {
	if choice != mobile.ResolutionDone {
		return "", true
	}
	switch item.Act {
	case mobile.ActOrderProfile:
		return o.ordered()
	case mobile.ActSendMail:
		// A refused mail can be read out on the telephone; one that was lost is there or not.
		return "", item.Kind == mobile.ItemStepRefused || o.mailed()
	case mobile.ActCancelProfile:
		return "", o.returned()
	case mobile.ActDeactivateLine:
		return "", o.tookDown()
	case mobile.ActConfirmProfile, mobile.ActActivateLine, mobile.ActChangeSIM, mobile.ActRetireProfile,
		mobile.ActSendNotice, mobile.ActSubmitPort, mobile.ActSupplementPort, mobile.ActReschedulePort, mobile.ActCancelPort:
	}
	return "", false
}

// ordered is the ICCID that the SM-DP+ has allotted for the order that is in doubt: since the
// last one that was deliberately repeated.
func (o *operator) ordered() (iccid string, ok bool) {
	since := 0
	for _, a := range o.done(mobile.ResolutionSendAgain, mobile.ActOrderProfile) {
		since = a.orders
	}
	for _, e := range o.w.smdp.journal.Entries()[since:] {
		if e.Act == "download_order" {
			iccid = e.Reference
		}
	}
	return iccid, iccid != ""
}

func (o *operator) mailed() bool {
	since := 0
	for _, a := range o.done(mobile.ResolutionSendAgain, mobile.ActSendMail) {
		since = a.mails
	}
	return len(o.w.sendgrid.journal.Entries()) > since
}

// returned gives back by hand what is in hand; false when the SM-DP+ does not take it.
func (o *operator) returned() bool {
	client, err := esim.New(esim.Config{URL: o.w.smdp.url, RequesterID: "dialtone", SMDPAddress: smdpAddress, Timeout: callTimeout})
	if err != nil {
		return false
	}
	for iccid := range o.w.inHand() {
		_ = client.CancelOrder(o.w.ctx(), esim.CancelOrder{CallID: byHand, ICCID: mobile.ICCID(iccid), Final: esim.Unavailable})
	}
	return len(o.w.inHand()) == 0
}

// tookDown takes the line down by hand; false when the carrier does not.
func (o *operator) tookDown() bool {
	client, err := carrier.New(carrier.Config{URL: o.w.carrier.url, APIKey: "key", Timeout: callTimeout})
	if err != nil {
		return false
	}
	_ = client.DeactivateLine(o.w.ctx(), byHand, string(o.w.activation.ID))
	return len(o.w.lines()) == 0
}

// decide files a decision and brings it to the run, as the front does.
func (o *operator) decide(item mobile.Item, choice mobile.Resolution, said string) {
	w := o.w
	command := store.Command{
		ID: uuid.Must(uuid.NewV7()).String(), Tenant: w.activation.Tenant, Activation: w.activation.ID,
		ItemID: item.ID, Choice: choice, Said: said,
		By: mobile.Doer{Principal: mobile.PrincipalOperator, Actor: "olga", RequestID: uuid.NewString()},
	}
	w.tenant(w.t, command.Tenant, func(s *store.Store) error {
		deed := store.Deed{ID: command.ID, Tenant: command.Tenant, Principal: command.By.Principal, Method: "ResolveAction"}
		if err := s.Audit(w.ctx(), deed); err != nil {
			return err
		}
		return s.FileCommand(w.ctx(), command)
	})
	o.told = append(o.told, answer{
		command: command, item: item,
		orders: len(w.smdp.journal.Entries()), mails: len(w.sendgrid.journal.Entries()),
	})
	w.current().env.UpdateWorkflow("resolve_action", command.By.RequestID, unheard{}, workflows.ResolveAction{
		Command: command.ID, Choice: choice, Kind: item.Kind, Step: item.Step, Until: w.clock().Add(5 * time.Second),
	})
}

// unheard does not ask what became of an update: the record tells.
type unheard struct{}

func (unheard) Accept()             {}
func (unheard) Reject(error)        {}
func (unheard) Complete(any, error) {}

// done lists the decisions that were carried out, of a choice and about an act; an empty act
// means any.
func (o *operator) done(choice mobile.Resolution, act mobile.Act) (list []answer) {
	for _, a := range o.told {
		if a.command.Choice != choice || act != "" && a.item.Act != act {
			continue
		}
		var command store.Command
		o.w.tenant(o.w.t, a.command.Tenant, func(s *store.Store) (err error) {
			command, err = s.Command(o.w.ctx(), a.command.Tenant, a.command.ID)
			return err
		})
		if command.Outcome == store.OutcomeDone {
			list = append(list, a)
		}
	}
	return list
}

// story tells what was decided, for a failure.
func (o *operator) story() string {
	var list []string
	for _, a := range o.told {
		list = append(list, strings.Join([]string{string(a.item.Kind), string(a.item.Step), string(a.item.Act), string(a.command.Choice)}, " "))
	}
	return strings.Join(list, "; ")
}

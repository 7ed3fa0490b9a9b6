package server

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/google/uuid"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// What the customer's acts have in common: each is remembered, gets its verdict, and is
// answered with what is asked then. What was said is in none of the answers.

// whose reads whose activation a call of the customer's side is about. A PORTAL token is bound
// to one: any other answers like one that does not exist.
func (f *form) whose(caller access.Caller, s string) (mobile.ActivationID, error) {
	switch {
	case caller.Principal != mobile.PrincipalPortal:
		return f.activation("activation_id", s), nil
	case s != "" && !strings.EqualFold(strings.Trim(s, " "), string(caller.Activation)):
		return "", store.ErrActivationNotFound
	}
	return caller.Activation, nil
}

// saying is an act of the customer's as it was understood.
type saying struct {
	mutation
	store.Submission

	// check refuses what depends on the clock or the record; may be nil. A repeat is not
	// checked again.
	check func(context.Context, *store.Store) error
}

// spoken is what the requests of all acts have.
type spoken interface {
	GetRequestId() string
	GetActivationId() string
	GetRevision() int64
}

// saying reads what all acts have. The caller adds what this one says to the submission, and
// to the fields by which the same request is known again.
func (f *form) saying(ctx context.Context, method string, act mobile.CustomerAct, request spoken) (saying, error) {
	caller := access.From(ctx)
	id, err := f.whose(caller, request.GetActivationId())
	if err != nil {
		return saying{}, err
	}
	v := saying{
		mutation: mutation{
			method: method, requestID: f.requestID(request.GetRequestId()), tenant: caller.Tenant,
			resource: uuid.Must(uuid.NewV7()).String(),
		},
		Submission: store.Submission{
			Tenant: caller.Tenant, Activation: id, Act: act, Revision: f.revision(request.GetRevision()),
		},
	}
	v.ID, v.By = v.resource, doer(ctx, v.mutation)
	v.fields = []string{string(id), strconv.FormatInt(v.Revision, 10)}
	return v, nil
}

// answering refuses an answer that does not say to which question. Whoever gives up the port
// need not have been asked anything.
func (f *form) answering(revision int64) {
	if revision == 0 {
		f.refuse("revision", "FIELD_REQUIRED", "Say which question this answers: the revision of the prompt that was on the screen.")
	}
}

// answered is what the answers to all acts have.
type answered struct {
	verdict dialtonev1.SubmissionVerdict
	message string
	prompt  *dialtonev1.PortingPrompt
}

// say gives an act its verdict and keeps it. It is answered once that is committed, whether
// the engine can be reached or not.
func (r *rpcs) say(ctx context.Context, v saying) (answered, error) {
	var a answered
	err := r.db.InTenant(ctx, v.tenant, func(s *store.Store) error {
		id, repeated, err := r.accept(ctx, s, v.mutation)
		if err != nil {
			return err
		}
		verdict, err := v.judge(ctx, s, id, repeated)
		if err != nil {
			return err
		}
		c, err := readCustomer(ctx, s, v.tenant, v.Activation)
		if err != nil {
			return err
		}
		a = answered{verdict: submissionVerdict(verdict), message: verdictWords(v.Act, verdict, c.Port != nil && c.Port.Ordered), prompt: c.prompt()}
		return nil
	})
	if err != nil {
		return answered{}, err
	}
	r.nudge()
	return a, nil
}

// judge gives the verdict, and to a repeat the first one.
func (v saying) judge(ctx context.Context, s *store.Store, id string, repeated bool) (mobile.SubmissionVerdict, error) {
	if repeated {
		return s.SubmissionVerdict(ctx, v.tenant, id)
	}
	// Held from here on, so that what is checked is so.
	if _, err := s.LockedActivation(ctx, v.tenant, v.Activation); err != nil {
		return "", err
	}
	if v.check != nil {
		if err := v.check(ctx, s); err != nil {
			return "", err
		}
	}
	verdict, err := s.Submit(ctx, v.Submission)
	switch {
	case errors.Is(err, store.ErrNumberBeingPorted):
		return "", v.inTheWay(err)
	case err != nil:
		return "", withActivation(err, v.Activation)
	}
	return verdict, nil
}

// inTheWay says that a number is coming already. Which activation brings it is not told to a
// customer, whose it may not be.
func (v saying) inTheWay(err error) error {
	if v.By.Principal == mobile.PrincipalPortal {
		return errNumberComing
	}
	return err
}

var errNumberComing = store.ErrNumberBeingPorted.Saying("This number is being brought in already. " +
	"Check the digits; if they are right, call us.")

// customer is an activation as far as its customer is concerned.
type customer struct {
	mobile.Activation

	sub     mobile.Subscription
	hearing store.Hearing
	// codeGiven tells that the portal has shown the eSIM's code.
	codeGiven bool
}

// readCustomer reads an activation for its customer.
func readCustomer(ctx context.Context, s *store.Store, tenant mobile.TenantID, id mobile.ActivationID) (c customer, err error) {
	if c.Activation, err = s.Activation(ctx, tenant, store.Key{ID: id}); err != nil {
		return c, err
	}
	if c.sub, err = s.Subscription(ctx, tenant, c.Subscription); err != nil {
		return c, err
	}
	if c.Port != nil {
		if c.hearing, err = s.Hearing(ctx, c.Activation, *c.Port); err != nil {
			return c, err
		}
	}
	c.codeGiven, err = s.CodeGiven(ctx, tenant, id)
	return c, err
}

// asked is the question that the customer is to answer; nil when there is none.
func (c customer) asked() *mobile.Prompt {
	if c.Port == nil || c.hearing.Over || !c.Port.Prompt.Open() {
		return nil
	}
	return c.Port.Prompt
}

// acts are what the customer may do to the port now, in the order to offer it.
func (c customer) acts() []mobile.CustomerAct {
	if c.Port == nil || c.hearing.Over {
		return nil
	}
	kind := mobile.PromptNone
	if prompt := c.asked(); prompt != nil {
		kind = prompt.Kind
	}
	return mobile.CustomerActs(kind, c.Port.State)
}

// donor is the company that the number leaves, by its row of the table.
func (c customer) donor() mobile.Donor {
	donor, known := mobile.DonorByCode(c.Port.Donor)
	if !known {
		donor = mobile.Donor{Code: c.Port.Donor, Name: string(c.Port.Donor)}
	}
	return donor
}

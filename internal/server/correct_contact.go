package server

import (
	"context"
	"strconv"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// correcting is a CorrectContact as it was understood.
type correcting struct {
	mutation

	id       mobile.ActivationID
	revision int64
	// name and email stay as they are when empty.
	name, email string
}

// CorrectContact keeps another name or address for what this activation still sends or says.
// It sends nothing by itself.
func (r *rpcs) CorrectContact(ctx context.Context, request *dialtonev1.CorrectContactRequest) (*dialtonev1.CorrectContactResponse, error) {
	caller := access.From(ctx)
	v, err := readCorrecting(caller, request)
	if err != nil {
		return nil, err
	}
	var workflow *dialtonev1.Workflow
	err = r.db.InTenant(ctx, caller.Tenant, func(s *store.Store) error {
		_, repeated, err := r.accept(ctx, s, v.mutation)
		if err != nil {
			return err
		}
		if !repeated {
			if err := correct(ctx, s, v); err != nil {
				return withActivation(err, v.id)
			}
		}
		workflow, err = r.readWorkflow(ctx, s, v.tenant, store.Key{ID: v.id})
		return err
	})
	if err != nil {
		return nil, err
	}
	return &dialtonev1.CorrectContactResponse{Workflow: workflow}, nil
}

func readCorrecting(caller access.Caller, request *dialtonev1.CorrectContactRequest) (correcting, error) {
	var f form
	v := correcting{
		id:       f.activation("activation_id", request.GetActivationId()),
		revision: f.revision(request.GetRevision()),
		email:    f.optionalEmail("email", request.GetEmail()),
	}
	if request.GetName() != "" {
		name, violation := mobile.ParseName(request.GetName())
		f.take("name", violation)
		v.name = name
	}
	if request.GetName() == "" && request.GetEmail() == "" {
		f.refuse("name", "FIELD_REQUIRED", "Give the name, the e-mail address, or both.")
	}
	v.mutation = mutation{
		method: "CorrectContact", requestID: f.requestID(request.GetRequestId()), tenant: caller.Tenant,
		reason: f.reason(request.GetReason()), person: f.actor(caller, request.GetActor()),
		authentication: f.authentication(request.GetAuthentication(), request.GetEmail() != ""),
		resource:       string(v.id), activation: true,
	}
	v.fields = []string{
		string(v.id), strconv.FormatInt(v.revision, 10), v.reason, v.person, v.name, v.email, v.authentication,
	}
	return v, f.err()
}

// optionalEmail leaves an empty field empty.
func (f *form) optionalEmail(field, s string) string {
	if s == "" {
		return ""
	}
	email, v := mobile.ParseEmail(s)
	f.take(field, v)
	return email
}

func correct(ctx context.Context, s *store.Store, v correcting) error {
	a, err := s.LockedActivation(ctx, v.tenant, v.id)
	if err != nil {
		return err
	}
	if v.revision != 0 && v.revision != a.Revision {
		return store.ErrStaleRevision.With("revision", strconv.FormatInt(a.Revision, 10))
	}
	if err := correctable(a); err != nil {
		return err
	}
	return s.CorrectContact(ctx, v.tenant, v.id, v.name, v.email)
}

var errNothingUsesIt = errNotApplicable.Saying("The activation has ended without a line, so that nothing more uses its name or address. " +
	"Give the right ones when you launch a new one.")

// correctable refuses an activation that will use neither name nor address any more.
func correctable(a mobile.Activation) error {
	if a.State.Final() && a.State != mobile.StateSucceeded && a.Live.IsZero() {
		return errNothingUsesIt.With("state", string(a.State))
	}
	return nil
}

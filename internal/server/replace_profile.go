package server

import (
	"context"
	"slices"
	"strconv"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// Refusals of replacing an eSIM.
var (
	errNoLineToReplace = fault.New(fault.Conflict, "NOT_APPLICABLE",
		"There is no live line whose eSIM could be replaced. While it is coming up, cancel it and launch again.")
	errStillComingUp = fault.New(fault.Conflict, "NOT_APPLICABLE",
		"The activation has not ended: its own e-mail still carries the eSIM that it has. Settle what it waits for first.")
	errMailUnderWay = fault.New(fault.Conflict, "NOT_APPLICABLE",
		"An e-mail with the present eSIM's code is being sent again. Wait until that is done, or settle what it asks.")
	errNoProfileHeld = fault.New(fault.Conflict, "NOT_APPLICABLE", "The activation holds no eSIM that could be replaced.")
)

// ReplaceProfile keeps that the customer is to get another eSIM on the same line, and files it
// with the relay.
func (r *rpcs) ReplaceProfile(ctx context.Context, request *dialtonev1.ReplaceProfileRequest) (*dialtonev1.ReplaceProfileResponse, error) {
	caller := access.From(ctx)
	var f form
	id := f.activation("activation_id", request.GetActivationId())
	revision := f.revision(request.GetRevision())
	var phone mobile.IMEI
	if request.GetImei() != "" {
		imei, v := mobile.ParseIMEI(request.GetImei())
		f.take("imei", v)
		phone = imei
	}
	authentication := f.text("authentication", request.GetAuthentication(), reasonLengthMax)
	m := mutation{
		method: "ReplaceProfile", requestID: f.requestID(request.GetRequestId()), tenant: caller.Tenant,
		reason: f.reason(request.GetReason()), person: f.actor(caller, request.GetActor()),
		authentication: authentication, resource: string(id), activation: true,
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	m.fields = []string{string(id), strconv.FormatInt(revision, 10), m.reason, m.person, string(phone), authentication}

	var workflow *dialtonev1.Workflow
	err := r.db.InTenant(ctx, caller.Tenant, func(s *store.Store) error {
		_, repeated, err := r.accept(ctx, s, m)
		if err != nil {
			return err
		}
		if !repeated {
			if err := r.fileReplacement(ctx, s, id, revision, phone, m); err != nil {
				return withActivation(err, id)
			}
		}
		workflow, err = r.readWorkflow(ctx, s, caller.Tenant, store.Key{ID: id})
		return err
	})
	if err != nil {
		return nil, err
	}
	r.nudge()
	return &dialtonev1.ReplaceProfileResponse{Workflow: workflow}, nil
}

func (r *rpcs) fileReplacement(ctx context.Context, s *store.Store, id mobile.ActivationID, revision int64, phone mobile.IMEI, m mutation) error {
	if _, err := s.LockedActivation(ctx, m.tenant, id); err != nil {
		return err
	}
	a, err := s.Activation(ctx, m.tenant, store.Key{ID: id})
	if err != nil {
		return err
	}
	if revision != 0 && revision != a.Revision {
		return store.ErrStaleRevision.With("revision", strconv.FormatInt(a.Revision, 10))
	}
	if err := replaceable(a); err != nil {
		return err
	}
	_, err = s.FileFollowUp(ctx, mobile.FollowUp{
		Tenant: m.tenant, Activation: id, Kind: mobile.FollowUpReplace, IMEI: phone, Asked: doer(ctx, m),
	}, r.policies)
	return err
}

// replaceable refuses an activation whose eSIM cannot be replaced now.
func replaceable(a mobile.Activation) error {
	switch {
	case a.Live.IsZero():
		return errNoLineToReplace
	case !a.State.Final():
		return errStillComingUp
	case slices.Contains(a.FollowUps, mobile.FollowUpReplace):
		return store.ErrProfileBeingReplaced
	case slices.Contains(a.FollowUps, mobile.FollowUpResend):
		return errMailUnderWay
	case a.Profile == nil, a.Profile.State != mobile.ProfileReleased && a.Profile.State != mobile.ProfileReserved:
		return errNoProfileHeld
	}
	return nil
}

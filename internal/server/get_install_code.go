package server

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mail"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// GetInstallCode shows the eSIM's code. Whoever has it has the line, so that each look is
// audited.
func (r *rpcs) GetInstallCode(ctx context.Context, request *dialtonev1.GetInstallCodeRequest) (*dialtonev1.GetInstallCodeResponse, error) {
	caller := access.From(ctx)
	var f form
	id, err := f.whose(caller, request.GetActivationId())
	if err != nil {
		return nil, err
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	var code mobile.ActivationCode
	response := &dialtonev1.GetInstallCodeResponse{}
	err = r.db.InTenant(ctx, caller.Tenant, func(s *store.Store) error {
		a, err := s.Activation(ctx, caller.Tenant, store.Key{ID: id})
		if err != nil {
			return err
		}
		if code, err = codeOf(ctx, s, a); err != nil {
			return withActivation(err, id)
		}
		response.InstallState = installState(a.Profile.InstallState)
		return giveCode(ctx, s, a)
	})
	if err != nil {
		return nil, err
	}
	response.ActivationCode, response.SmdpAddress, response.MatchingId = code.LPA(), code.Address(), code.MatchingID()
	response.IosUrl, response.AndroidUrl = code.AppleLink(), code.AndroidLink()
	if response.QrPng, err = mail.CodeQR(code); err != nil {
		return nil, err
	}
	return response, nil
}

// codeOf reads the code that the customer may have now.
func codeOf(ctx context.Context, s *store.Store, a mobile.Activation) (mobile.ActivationCode, error) {
	if err := showable(a); err != nil {
		return mobile.ActivationCode{}, err
	}
	code, err := s.ActivationCode(ctx, a.Tenant, *a.Profile)
	if errors.Is(err, store.ErrProfileNotFound) {
		return code, errNoCodeYet
	}
	return code, err
}

// giveCode keeps that the customer has the code, and who showed it.
func giveCode(ctx context.Context, s *store.Store, a mobile.Activation) error {
	if err := s.GaveCode(ctx, a.Tenant, a.ID); err != nil {
		return err
	}
	caller := access.From(ctx)
	return s.Audit(ctx, store.Deed{
		Tenant: a.Tenant, Principal: caller.Principal, Actor: caller.AuditActor(""), Method: "GetInstallCode",
		Resource: string(a.ID), RequestID: uuid.NewString(),
	})
}

// Refusals of showing the code.
var (
	errNoCodeYet = errNotApplicable.Saying("There is no code to install yet. It comes once the line is ready, or once the old provider " +
		"lets the number go; the prompt says where things are.")
	errNoCodeLeft   = errNotApplicable.Saying("The activation has ended, or is being stopped, so that its code is of no use any more.")
	errCodeIsUsed   = errNotApplicable.Saying("The eSIM is on the phone already, and its code works only once. If it is gone from there, say so by ReportInstallation.")
	errCodeBroken   = errNotApplicable.Saying("The phone could not install this eSIM, and its code will not work again. Staff have been told.")
	errCodeReplaced = errNotApplicable.Saying("A new eSIM is being made ready, and the old code is about to stop working. The new one comes by e-mail.")
)

// showable refuses an activation whose code the customer cannot have: before the Mobile
// Activation e-mail may go out, and once the code is of no use.
func showable(a mobile.Activation) error {
	switch {
	case a.State.Final() && a.State != mobile.StateSucceeded, a.State == mobile.StateUndoing:
		return errNoCodeLeft
	case a.Profile == nil, a.Profile.State == mobile.ProfileReserved:
		return errNoCodeYet
	case a.Profile.State != mobile.ProfileReleased:
		return errNoCodeLeft
	case !installable(a):
		return errNoCodeYet
	case slices.Contains(a.FollowUps, mobile.FollowUpReplace):
		return errCodeReplaced
	}
	switch a.Profile.InstallState {
	case mobile.InstallInstalled:
		return errCodeIsUsed
	case mobile.InstallFailed:
		return errCodeBroken
	case mobile.InstallNotDownloaded, mobile.InstallUnknown, mobile.InstallDownloaded:
	}
	return nil
}

// installable tells whether the time has come to install the eSIM: the line is live, the
// number is on its way to it, or the e-mail is out.
func installable(a mobile.Activation) bool {
	if !a.Live.IsZero() || codeMailed(a) {
		return true
	}
	return a.Port != nil && (a.Port.State == mobile.PortConfirmed || a.Port.State == mobile.PortCompleted)
}

// codeMailed tells whether a Mobile Activation e-mail went out.
func codeMailed(a mobile.Activation) bool {
	return slices.ContainsFunc(a.Notices, func(n mobile.Notice) bool {
		return n.Kind == mobile.NoticeActivation && !n.Sent.IsZero()
	})
}

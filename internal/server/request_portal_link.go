package server

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mail"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

const (
	// linksMax is how many mails with a new link an activation sends in linksWithin.
	linksMax    = 3
	linksWithin = time.Hour
	// linksAfterEnd is how long after its end an activation still gives new links.
	linksAfterEnd = 30 * 24 * time.Hour
	// linkAnswer is when a request for a link is answered: what is done for one that is known
	// takes less, so that the time does not tell.
	linkAnswer = 250 * time.Millisecond
	// deadLinkLengthMax bounds the token of a dead link, in characters.
	deadLinkLengthMax = 256
)

// RequestPortalLink mails the customer a new link for one that has lapsed, and answers alike
// whether the token was known or not. The link goes to the address on file, never to whoever
// asks.
func (r *rpcs) RequestPortalLink(ctx context.Context, request *dialtonev1.RequestPortalLinkRequest) (*dialtonev1.RequestPortalLinkResponse, error) {
	answer := time.NewTimer(linkAnswer)
	defer answer.Stop()
	caller := access.From(ctx)
	var f form
	dead := f.deadLink(request.GetToken())
	m := mutation{
		method: "RequestPortalLink", requestID: f.requestID(request.GetRequestId()), tenant: caller.Tenant,
		fields: []string{dead}, resource: uuid.Must(uuid.NewV7()).String(),
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	err := r.db.InTenant(ctx, caller.Tenant, func(s *store.Store) error {
		_, repeated, err := r.accept(ctx, s, m)
		if err != nil || repeated {
			return err
		}
		return r.renew(ctx, s, m, dead)
	})
	if err != nil {
		return nil, err
	}
	r.nudge()
	select {
	case <-answer.C:
		return &dialtonev1.RequestPortalLinkResponse{}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// deadLink reads the token of a link that no longer works, whatever it looks like.
func (f *form) deadLink(s string) string {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		f.refuse("token", "FIELD_REQUIRED", "Give the token of the link that no longer works.")
	case utf8.RuneCountInString(s) > deadLinkLengthMax:
		f.refuse("token", "FIELD_TOO_LONG", "A token has at most 256 characters.")
	}
	return s
}

// renew files the mail with the new link, where one is due.
func (r *rpcs) renew(ctx context.Context, s *store.Store, m mutation, dead string) error {
	hash := sha256.Sum256([]byte(dead))
	token, err := s.TokenByHash(ctx, hash[:])
	switch {
	case errors.Is(err, store.ErrTokenNotFound):
		return nil
	case err != nil:
		return err
	case token.Principal != mobile.PrincipalPortal || !token.Revoked.IsZero():
		return nil
	}
	a, err := s.LockedActivation(ctx, m.tenant, token.Activation)
	if err != nil {
		return err
	}
	sent, err := s.LinksSent(ctx, a.ID, linksWithin)
	switch {
	case err != nil:
		return err
	case sent >= linksMax, !a.Ended.IsZero() && r.now().Sub(a.Ended) > linksAfterEnd:
		return nil
	}
	return r.fileLink(ctx, s, m, a.ID)
}

// fileLink writes the mail and says who is to send it.
func (r *rpcs) fileLink(ctx context.Context, s *store.Store, m mutation, id mobile.ActivationID) error {
	c, err := readCustomer(ctx, s, m.tenant, id)
	if err != nil {
		return err
	}
	link, err := r.newLink(ctx, s, m.tenant, id)
	if err != nil {
		return err
	}
	name, to := c.contact()
	n := mobile.Notice{ID: m.resource, Kind: mobile.NoticePortalLink, MaskedAddress: mobile.MaskEmail(to)}
	tenant, err := s.Tenant(ctx, m.tenant)
	if err != nil {
		return err
	}
	message, err := mail.NoticeMail{
		NoticeID: n.ID, ActivationID: id, Tenant: tenant, CustomerName: name, To: to, Kind: n.Kind, Number: c.PhoneNumber,
		PortalLink: link,
	}.Compose()
	if err != nil {
		return err
	}
	filed, err := s.FileFollowUp(ctx, mobile.FollowUp{
		Tenant: m.tenant, Activation: id, Kind: mobile.FollowUpLink, Asked: doer(ctx, m),
	}, r.policies)
	if err != nil {
		return err
	}
	n.FollowUp = filed.ID
	return s.PrepareNotice(ctx, m.tenant, id, n, message.Bytes())
}

// newLink makes a link that lives as long as any.
func (r *rpcs) newLink(ctx context.Context, s *store.Store, tenant mobile.TenantID, id mobile.ActivationID) (string, error) {
	text, token, hash := access.NewToken(mobile.PrincipalPortal)
	token.Tenant, token.Activation, token.Name, token.Expires = tenant, id, "Link for a dead one", r.now().Add(linkLifetimeMax)
	if err := s.InsertToken(ctx, token, hash); err != nil {
		return "", err
	}
	return portalURL(ctx, s, tenant, text.Reveal())
}

// contact is the customer's name, and the address that mails go to.
func (c customer) contact() (name, email string) {
	return cmp.Or(c.NameOverride, c.sub.CustomerName), cmp.Or(c.EmailOverride, c.sub.CustomerEmail)
}

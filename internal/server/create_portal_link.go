package server

import (
	"context"
	"strconv"
	"strings"
	"time"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// How long a link lives.
const (
	linkLifetime    = 7 * 24 * time.Hour
	linkLifetimeMax = 30 * 24 * time.Hour
	// linkLeeway is for callers whose clock is ahead of ours.
	linkLeeway = time.Minute
)

// linking is a CreatePortalLink as it was understood.
type linking struct {
	mutation

	id       mobile.ActivationID
	revision int64
	// expires is zero when it was not said.
	expires time.Time
}

// CreatePortalLink makes a link to the customer's own page and shows it, once: a repeat finds
// the same token and answers without the link, since only its hash is kept.
func (r *rpcs) CreatePortalLink(ctx context.Context, request *dialtonev1.CreatePortalLinkRequest) (*dialtonev1.CreatePortalLinkResponse, error) {
	caller := access.From(ctx)
	v, err := readLinking(caller, request)
	if err != nil {
		return nil, err
	}
	text, token, hash := access.NewToken(mobile.PrincipalPortal)
	token.Tenant, token.Activation, token.Name, token.Expires = v.tenant, v.id, "Portal link", v.expires
	v.resource = token.ID

	response := &dialtonev1.CreatePortalLinkResponse{}
	err = r.db.InTenant(ctx, caller.Tenant, func(s *store.Store) error {
		response.Url = ""
		id, repeated, err := r.accept(ctx, s, v.mutation)
		if err != nil {
			return err
		}
		if !repeated {
			if err := r.insertLink(ctx, s, v, token, hash); err != nil {
				return err
			}
			if response.Url, err = portalURL(ctx, s, v.tenant, text.Reveal()); err != nil {
				return err
			}
		}
		made, err := s.Token(ctx, id)
		response.ExpireTime = instant(made.Expires)
		return err
	})
	if err != nil {
		return nil, err
	}
	return response, nil
}

func readLinking(caller access.Caller, request *dialtonev1.CreatePortalLinkRequest) (linking, error) {
	var f form
	v := linking{
		id:       f.activation("activation_id", request.GetActivationId()),
		revision: f.revision(request.GetRevision()),
		expires:  f.time("expire_time", request.GetExpireTime()),
	}
	v.mutation = mutation{
		method: "CreatePortalLink", requestID: f.requestID(request.GetRequestId()), tenant: caller.Tenant,
		person: f.actor(caller, request.GetActor()),
	}
	if request.GetReason() != "" || caller.Principal != mobile.PrincipalPortalBackend {
		v.reason = f.reason(request.GetReason())
	}
	expires := ""
	if !v.expires.IsZero() {
		expires = v.expires.Format(time.RFC3339Nano)
	}
	v.fields = []string{string(v.id), strconv.FormatInt(v.revision, 10), v.reason, v.person, expires}
	return v, f.err()
}

// insertLink makes the token of a link. What depends on the clock is checked here, so that a
// repeat is never refused for it.
func (r *rpcs) insertLink(ctx context.Context, s *store.Store, v linking, token mobile.Token, hash []byte) error {
	now := r.now()
	var f form
	switch {
	case token.Expires.IsZero():
		token.Expires = now.Add(linkLifetime)
	case !token.Expires.After(now):
		f.refuse("expire_time", "FIELD_MALFORMED", "This moment is over. Give one in the future, or leave the field out.")
	case token.Expires.After(now.Add(linkLifetimeMax + linkLeeway)):
		f.refuse("expire_time", "FIELD_MALFORMED", "A link lives at most 30 days. Give an earlier moment, or leave the field out.")
	}
	if err := f.err(); err != nil {
		return err
	}
	a, err := s.LockedActivation(ctx, v.tenant, v.id)
	switch {
	case err != nil:
		return err
	case v.revision != 0 && v.revision != a.Revision:
		return withActivation(store.ErrStaleRevision.With("revision", strconv.FormatInt(a.Revision, 10)), v.id)
	}
	return s.InsertToken(ctx, token, hash)
}

// portalURL is the address of the customer's own page.
func portalURL(ctx context.Context, s *store.Store, id mobile.TenantID, token string) (string, error) {
	tenant, err := s.Tenant(ctx, id)
	return strings.ReplaceAll(tenant.PortalURLTemplate, mobile.PortalToken, token), err
}

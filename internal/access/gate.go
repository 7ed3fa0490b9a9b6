package access

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// ErrUnauthenticated refuses a call whose caller is not known.
var ErrUnauthenticated = fault.New(fault.Unauthenticated, "UNAUTHENTICATED",
	"This call needs a token that is known and alive. Send it as metadata, authorization: Bearer TOKEN.")

// memory is how long a token that was looked up is taken for alive without asking the
// record again. So a token that is revoked at another process is refused here after at most
// this time, and one that is revoked here at once.
const memory = 5 * time.Second

// rememberedMax bounds the memory. It is emptied when full: all are looked up again.
const rememberedMax = 10_000

// Gate knows callers by their tokens. It is safe for concurrent use.
type Gate struct {
	db  *store.DB
	now func() time.Time

	mu         sync.Mutex
	remembered map[[sha256.Size]byte]remembered
	// forgotten counts the calls of Forget: what was read before one is not remembered
	// after it.
	forgotten int
}

type remembered struct {
	token mobile.Token
	until time.Time
}

// NewGate makes a gate that asks the record. now is time.Now when nil.
func NewGate(db *store.DB, now func() time.Time) *Gate {
	if now == nil {
		now = time.Now
	}
	return &Gate{db: db, now: now, remembered: make(map[[sha256.Size]byte]remembered)}
}

// Authenticate finds the caller by the value of the authorization header. It refuses
// ErrUnauthenticated, and ErrUnavailable of the store when the record cannot be asked.
func (g *Gate) Authenticate(ctx context.Context, authorization string) (Caller, error) {
	scheme, text, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "bearer") || !tokenForm.MatchString(text) {
		return Caller{}, ErrUnauthenticated
	}
	return g.known(ctx, sha256.Sum256([]byte(text)))
}

// Recheck asks again whether the caller in the context may still call. A stream asks now
// and then, since it may outlive its token. It refuses as Authenticate does.
func (g *Gate) Recheck(ctx context.Context) error {
	_, err := g.known(ctx, From(ctx).hash)
	return err
}

// Forget drops a token from the memory: its next use asks the record.
func (g *Gate) Forget(tokenID string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forgotten++
	for hash, r := range g.remembered {
		if r.token.ID == tokenID {
			delete(g.remembered, hash)
		}
	}
}

func (g *Gate) known(ctx context.Context, hash [sha256.Size]byte) (Caller, error) {
	token, forgotten, found := g.recall(hash)
	if !found {
		var err error
		if token, err = g.lookUp(ctx, hash, forgotten); err != nil {
			return Caller{}, err
		}
	}
	switch now := g.now(); {
	case !token.Revoked.IsZero():
		return Caller{}, ErrUnauthenticated.Saying("This token was revoked. Ask whoever runs Dialtone for another one.")
	case !token.Expires.IsZero() && !now.Before(token.Expires):
		return Caller{}, ErrUnauthenticated.Saying("This token has expired. Ask whoever runs Dialtone for another one.")
	}
	return Caller{
		Principal: token.Principal, Tenant: token.Tenant, Activation: token.Activation,
		TokenID: token.ID, Name: token.Name, hash: hash,
	}, nil
}

func (g *Gate) lookUp(ctx context.Context, hash [sha256.Size]byte, forgotten int) (mobile.Token, error) {
	asked := g.now()
	var token mobile.Token
	err := g.db.InSystem(ctx, func(s *store.Store) (err error) {
		if token, err = s.TokenByHash(ctx, hash[:]); err != nil {
			return err
		}
		return s.TokenUsed(ctx, token)
	})
	switch {
	case errors.Is(err, store.ErrTokenNotFound):
		return mobile.Token{}, ErrUnauthenticated.Saying("This token is not known here. Check that it is whole and of this installation.")
	case err != nil:
		return mobile.Token{}, err
	}
	g.remember(hash, remembered{token: token, until: asked.Add(memory)}, forgotten)
	return token, nil
}

func (g *Gate) recall(hash [sha256.Size]byte) (token mobile.Token, forgotten int, found bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, ok := g.remembered[hash]
	if !ok || !g.now().Before(r.until) {
		delete(g.remembered, hash)
		return mobile.Token{}, g.forgotten, false
	}
	return r.token, g.forgotten, true
}

func (g *Gate) remember(hash [sha256.Size]byte, r remembered, forgotten int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.forgotten != forgotten {
		return
	}
	if len(g.remembered) >= rememberedMax {
		clear(g.remembered)
	}
	g.remembered[hash] = r
}

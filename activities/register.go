package activities

import (
	"time"

	"go.temporal.io/sdk/worker"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/esim"
	"github.com/dialtone/dialtone/internal/mail"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// Config holds the collaborators of all activities.
type Config struct {
	DB       *store.DB
	Carrier  carrier.Carrier
	SMDP     *esim.Client
	SendGrid *mail.Client
	// CallTimeout is how long one call to a partner may take: the bound of their clients.
	CallTimeout time.Duration
	// NewToken makes a token for a customer's portal link: its text, what the record keeps
	// of it, and its hash.
	NewToken func(mobile.Principal) (text string, token mobile.Token, hash []byte)
}

// Register registers every activity. It panics without a collaborator, because a worker
// that lacks one would fail customers one by one.
func Register(registry worker.ActivityRegistry, c Config) {
	if c.DB == nil || c.Carrier == nil || c.SMDP == nil || c.SendGrid == nil || c.CallTimeout <= 0 || c.NewToken == nil {
		panic("activities.Register lacks a collaborator")
	}
	registry.RegisterActivity(&Record{DB: c.DB})
	registry.RegisterActivity(&Subscriptions{DB: c.DB})
	registry.RegisterActivity(&Lines{DB: c.DB, Carrier: c.Carrier, CallTimeout: c.CallTimeout})
	registry.RegisterActivity(&Profiles{DB: c.DB, SMDP: c.SMDP})
	registry.RegisterActivity(&Mails{DB: c.DB, SendGrid: c.SendGrid, NewToken: c.NewToken})
}

package activities

import (
	"reflect"
	"runtime"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
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

// Register registers every activity, and each a second time under the name that follow-ups
// use. It panics without a collaborator, because a worker that lacks one would fail customers
// one by one.
func Register(registry worker.ActivityRegistry, c Config) {
	if c.DB == nil || c.Carrier == nil || c.SMDP == nil || c.SendGrid == nil || c.CallTimeout <= 0 || c.NewToken == nil {
		panic("activities.Register lacks a collaborator")
	}
	for _, each := range []any{
		&Record{DB: c.DB},
		&Subscriptions{DB: c.DB},
		&Lines{DB: c.DB, Carrier: c.Carrier, CallTimeout: c.CallTimeout},
		&Ports{DB: c.DB, Carrier: c.Carrier, CallTimeout: c.CallTimeout},
		&Profiles{DB: c.DB, SMDP: c.SMDP, CallTimeout: c.CallTimeout},
		&Mails{DB: c.DB, SendGrid: c.SendGrid, NewToken: c.NewToken},
	} {
		registry.RegisterActivity(each)
		registry.RegisterActivityWithOptions(each, activity.RegisterOptions{Name: besidePrefix})
	}
}

// besidePrefix is what the names of activities begin with that are done beside an activation's own
// run. A worker of before there were follow-ups would take such an act for one of the own run;
// a name that it does not know it leaves to others.
const besidePrefix = "Beside."

// Beside is the name of an activity, given as a method, when a follow-up does it.
func Beside(act any) string {
	name := runtime.FuncForPC(reflect.ValueOf(act).Pointer()).Name()
	return besidePrefix + strings.TrimSuffix(name[strings.LastIndex(name, ".")+1:], "-fm")
}

package activities_test

import (
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/dialtone/dialtone/activities"
	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/esim"
	"github.com/dialtone/dialtone/internal/mail"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// Two acts of one name, or a helper that is exported by mistake, panic on a real worker only.
func TestRegister_OnARealWorker(t *testing.T) {
	t.Parallel()
	lazy, err := client.NewLazyClient(client.Options{HostPort: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(lazy.Close)

	activities.Register(worker.New(lazy, "test", worker.Options{}), collaborators(t, "http://127.0.0.1:1"))
}

func collaborators(t *testing.T, url string) activities.Config {
	t.Helper()
	carrierClient, err := carrier.New(carrier.Config{URL: url, APIKey: "key"})
	fatal(t, err)
	smdp, err := esim.New(esim.Config{URL: url, RequesterID: "dialtone", SMDPAddress: "smdp.example.com"})
	fatal(t, err)
	sendgrid, err := mail.New(mail.Config{URL: url, APIKey: "key"})
	fatal(t, err)
	return activities.Config{
		DB: storetest.New(t), Carrier: carrierClient, SMDP: smdp, SendGrid: sendgrid, CallTimeout: time.Second,
		NewToken: func(p mobile.Principal) (string, mobile.Token, []byte) {
			return "token", mobile.Token{Principal: p}, []byte("hash")
		},
	}
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

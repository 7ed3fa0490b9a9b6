package webhook

import (
	"context"
	"net"
	"net/http"

	"github.com/dialtone/dialtone/internal/esim"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// errNotTheSMDP refuses a notification whose sender has not shown who it is.
var errNotTheSMDP = fault.New(fault.Unauthenticated, "SMDP_NOT_AUTHENTICATED",
	"Download notifications are taken from the SM-DP+ only. Let a proxy on this host check its client certificate.")

// progress stores a download notification of the SM-DP+ and moves the profile's install
// state, never an activation's.
func (d *door) progress(ctx context.Context, r received) error {
	if !fromSMDP(r.request) {
		return errNotTheSMDP
	}
	progress, err := esim.ParseProgress(r.body)
	if err != nil {
		return err
	}
	occurred := progress.At
	if occurred.IsZero() {
		occurred = r.now
	}
	return d.config.DB.InSystem(ctx, func(s *store.Store) error {
		fresh, err := s.KeepPartnerEvent(ctx, store.PartnerEvent{
			Partner: mobile.PartnerSMDPPlus, DedupKey: progress.Key, Kind: "download_progress",
			Body: r.body, Occurred: occurred,
		})
		if err != nil || !fresh {
			return err
		}
		_, _, err = s.RecordInstall(ctx, progress.ICCID, func(now mobile.InstallState) mobile.InstallState {
			return now.After(progress.Report)
		})
		return err
	})
}

// fromSMDP tells whether the caller has shown that it is the SM-DP+. ES2+ has no signature:
// what speaks is the client certificate (SGP.22 §5.3, mutual TLS). It is checked here when
// this listener speaks TLS, and otherwise by a proxy on this very host, which is why a plain
// call is taken from a loopback address only.
func fromSMDP(r *http.Request) bool {
	if r.TLS != nil {
		return len(r.TLS.VerifiedChains) > 0
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	return err == nil && net.ParseIP(host).IsLoopback()
}

package webhook_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store/storetest"
	"github.com/dialtone/dialtone/internal/webhook"
)

// progressBody is a handleDownloadProgressInfo as SGP.22 §5.3.5 has it in its JSON binding.
func progressBody(iccid mobile.ICCID, point, status string) call {
	return call{path: webhook.ProgressPath, body: fmt.Appendf(nil, `{
		"header": {"functionRequesterIdentifier": "2.999.10", "functionCallIdentifier": %q},
		"eid": "89049032000000000000000000000001", "iccid": %q, "profileType": "DIALTONE-GENERIC-1",
		"timestamp": %q, "notificationPointId": %s, "notificationPointStatus": %s}`,
		uuid.NewString(), iccid, now.Format(time.RFC3339), point, status)}
}

const (
	success      = `{"status": "Executed-Success"}`
	warning      = `{"status": "Executed-WithWarning"}`
	expired      = `{"status": "Expired"}` // of ES2+, and no outcome of a download
	eidRefused   = `{"status": "Failed", "statusCodeData": {"subjectCode": "8.1.1", "reasonCode": "3.8", "message": "EID 89049032000000000000000000000001 does not match"}}`
	memoryIsFull = `{"status": "Failed", "statusCodeData": {"subjectCode": "8.1", "reasonCode": "4.8"}}`
)

// Each move of the install state is an event and has a time, and a failure is an operator's.
func TestProgress_EachState(t *testing.T) {
	t.Parallel()
	b := open(t)
	tenant := storetest.Tenant(t, b.DB)
	conn := b.Connect(t)
	n := 0
	for name, c := range map[string]struct {
		calls  [][2]string // point and status
		want   mobile.InstallState
		told   []string // type, from and to
		detail string   // of what an operator is asked
	}{
		"fetched": {[][2]string{{"1", success}, {"3", success}}, mobile.InstallDownloaded, []string{
			"profile.install_state_changed NOT_DOWNLOADED DOWNLOADED",
		}, ""},
		"installed": {[][2]string{{"3", success}, {"4", warning}}, mobile.InstallInstalled, []string{
			"profile.install_state_changed NOT_DOWNLOADED DOWNLOADED", "profile.installed DOWNLOADED INSTALLED",
		}, ""},
		"refused by the phone": {[][2]string{{"1", eidRefused}}, mobile.InstallFailed, []string{
			"profile.install_state_changed NOT_DOWNLOADED FAILED", "item.opened",
		}, "The SM-DP+ says: 8.1.1/3.8."},
		"installed by another phone after all": {[][2]string{{"1", eidRefused}, {"4", success}}, mobile.InstallInstalled, []string{
			"profile.install_state_changed NOT_DOWNLOADED FAILED", "item.opened", "profile.installed FAILED INSTALLED", "item.closed",
		}, ""},
		"no room in the phone": {[][2]string{{"1", memoryIsFull}}, mobile.InstallNotDownloaded, nil, ""},
		"a status of another function": {[][2]string{{"3", expired}}, mobile.InstallUnknown, []string{
			"profile.install_state_changed NOT_DOWNLOADED UNKNOWN",
		}, ""},
		"deleted in the phone, as a vendor tells": {[][2]string{{`"102"`, success}, {"1", success}}, mobile.InstallUnknown, []string{
			"profile.install_state_changed NOT_DOWNLOADED UNKNOWN",
		}, ""},
	} {
		n++
		id := mobile.ICCID(fmt.Sprintf("89014103211118510%03d", n))
		t.Run(name, func(t *testing.T) {
			a := storetest.Activation(t, b.DB, storetest.Subscription(t, b.DB, tenant))
			b.held(t, a, id)

			for _, told := range c.calls {
				b.want(t, http.StatusNoContent, progressBody(id, told[0], told[1]))
			}

			got := storetest.Read(t, b.DB, a)
			if got.Profile.InstallState != c.want || got.Profile.InstallMoved.IsZero() != (c.told == nil) {
				t.Errorf("%s since %s, want %s", got.Profile.InstallState, got.Profile.InstallMoved, c.want)
			}
			var told []string
			must(t, conn.QueryRow(t.Context(), `
				SELECT array_agg(concat_ws(' ', type, data->>'previous_install_state', data->>'install_state') ORDER BY position)
				FROM events
				WHERE activation_id = $1 AND type NOT LIKE 'workflow.%'`, a.ID).Scan(&told))
			if diff := cmp.Diff(c.told, told); diff != "" {
				t.Errorf("the feed: -want +got\n%s", diff)
			}
			var asked string
			for _, item := range got.Items {
				if item.Kind == mobile.ItemInstallFailed && item.Closed.IsZero() {
					asked = item.Detail
				}
			}
			if asked != c.detail {
				t.Errorf("an operator is asked %q, want %q", asked, c.detail)
			}
		})
	}
}

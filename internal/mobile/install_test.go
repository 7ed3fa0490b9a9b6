package mobile

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestInstallStateAfter(t *testing.T) {
	t.Parallel()

	// What each report makes of each state, in the order of InstallStates.
	for _, c := range []struct {
		point   InstallPoint
		outcome InstallOutcome
		want    [5]InstallState
	}{
		{PointEligibility, OutcomeDone, [5]InstallState{"NOT_DOWNLOADED", "UNKNOWN", "DOWNLOADED", "FAILED", "INSTALLED"}},
		{PointEligibility, OutcomeFailed, [5]InstallState{"FAILED", "FAILED", "FAILED", "FAILED", "INSTALLED"}},
		{PointEligibility, OutcomeFailedForNow, [5]InstallState{"NOT_DOWNLOADED", "UNKNOWN", "DOWNLOADED", "FAILED", "INSTALLED"}},
		{PointEligibility, OutcomeUnclear, [5]InstallState{"UNKNOWN", "UNKNOWN", "DOWNLOADED", "FAILED", "INSTALLED"}},
		{PointConfirmation, OutcomeDone, [5]InstallState{"NOT_DOWNLOADED", "UNKNOWN", "DOWNLOADED", "FAILED", "INSTALLED"}},
		{PointConfirmation, OutcomeFailed, [5]InstallState{"FAILED", "FAILED", "FAILED", "FAILED", "INSTALLED"}},
		{PointDownload, OutcomeDone, [5]InstallState{"DOWNLOADED", "DOWNLOADED", "DOWNLOADED", "FAILED", "INSTALLED"}},
		{PointDownload, OutcomeFailed, [5]InstallState{"FAILED", "FAILED", "FAILED", "FAILED", "INSTALLED"}},
		{PointDownload, OutcomeFailedForNow, [5]InstallState{"NOT_DOWNLOADED", "UNKNOWN", "DOWNLOADED", "FAILED", "INSTALLED"}},
		{PointDownload, OutcomeUnclear, [5]InstallState{"UNKNOWN", "UNKNOWN", "DOWNLOADED", "FAILED", "INSTALLED"}},
		{PointInstall, OutcomeDone, [5]InstallState{"INSTALLED", "INSTALLED", "INSTALLED", "INSTALLED", "INSTALLED"}},
		{PointInstall, OutcomeFailed, [5]InstallState{"FAILED", "FAILED", "FAILED", "FAILED", "INSTALLED"}},
		{PointInstall, OutcomeFailedForNow, [5]InstallState{"NOT_DOWNLOADED", "UNKNOWN", "DOWNLOADED", "FAILED", "INSTALLED"}},
		{PointInstall, OutcomeUnclear, [5]InstallState{"UNKNOWN", "UNKNOWN", "DOWNLOADED", "FAILED", "INSTALLED"}},
		{PointEnabled, OutcomeDone, [5]InstallState{"INSTALLED", "INSTALLED", "INSTALLED", "INSTALLED", "INSTALLED"}},
		{PointEnabled, OutcomeFailed, [5]InstallState{"UNKNOWN", "UNKNOWN", "DOWNLOADED", "FAILED", "INSTALLED"}},
		{5, OutcomeDone, [5]InstallState{"UNKNOWN", "UNKNOWN", "DOWNLOADED", "FAILED", "INSTALLED"}},
		{102, OutcomeFailed, [5]InstallState{"UNKNOWN", "UNKNOWN", "DOWNLOADED", "FAILED", "INSTALLED"}},
		{0, "", [5]InstallState{"UNKNOWN", "UNKNOWN", "DOWNLOADED", "FAILED", "INSTALLED"}},
	} {
		for i, state := range InstallStates() {
			t.Run(fmt.Sprintf("%d/%s/%s", c.point, c.outcome, state), func(t *testing.T) {
				t.Parallel()
				if got := state.After(InstallReport{c.point, c.outcome}); got != c.want[i] {
					t.Errorf("got %s, want %s", got, c.want[i])
				}
			})
		}
	}
}

// TestInstallOrder: the same reports in any order, each any number of times, end alike.
func TestInstallOrder(t *testing.T) {
	t.Parallel()
	report := rapid.Custom(func(t *rapid.T) InstallReport {
		return InstallReport{
			Point:   rapid.SampledFrom([]InstallPoint{0, 1, 2, 3, 4, 5, 101, 102}).Draw(t, "point"),
			Outcome: rapid.SampledFrom([]InstallOutcome{"", OutcomeUnclear, OutcomeDone, OutcomeFailedForNow, OutcomeFailed}).Draw(t, "outcome"),
		}
	})

	rapid.Check(t, func(t *rapid.T) {
		reports := rapid.SliceOfN(report, 0, 8).Draw(t, "reports")
		mixed := append(rapid.Permutation(reports).Draw(t, "mixed"), reports...)

		if in, out := end(reports), end(mixed); in != out {
			t.Errorf("in order %s, mixed and twice %s", in, out)
		}
	})
}

func end(reports []InstallReport) InstallState {
	state := InstallNotDownloaded
	for _, r := range reports {
		state = state.After(r)
	}
	return state
}

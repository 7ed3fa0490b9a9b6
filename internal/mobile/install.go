package mobile

// InstallState is how far a profile has come on its way into the customer's phone, as the
// SM-DP+ tells it. It decides nothing: it is for people who help a customer.
type InstallState string

// The states of an installation.
const (
	// InstallNotDownloaded means that the profile waits at the SM-DP+.
	InstallNotDownloaded InstallState = "NOT_DOWNLOADED"
	// InstallUnknown means that the SM-DP+ has told something which we do not understand, so
	// that a phone may have fetched the profile.
	InstallUnknown InstallState = "UNKNOWN"
	// InstallDownloaded means that a phone has fetched the profile.
	InstallDownloaded InstallState = "DOWNLOADED"
	// InstallFailed means that this profile will not be installed: another is needed.
	InstallFailed InstallState = "FAILED"
	// InstallInstalled means that the profile is in a phone.
	InstallInstalled InstallState = "INSTALLED"
)

// InstallStates lists every state in the order in which one gives way to the next.
func InstallStates() []InstallState {
	return []InstallState{InstallNotDownloaded, InstallUnknown, InstallDownloaded, InstallFailed, InstallInstalled}
}

// InstallPoint is the moment of a download that the SM-DP+ reports: the
// notificationPointId of SGP.22 §5.3.5. Other numbers exist and tell nothing here.
type InstallPoint int

// The points of SGP.22, and the one that some vendors add.
const (
	// PointEligibility is the check of the phone and of the number of tries.
	PointEligibility InstallPoint = 1
	// PointConfirmation is a refused confirmation code.
	PointConfirmation InstallPoint = 2
	// PointDownload is the download of the profile.
	PointDownload InstallPoint = 3
	// PointInstall is its installation.
	PointInstall InstallPoint = 4
	// PointEnabled is a vendors' extension: the installed profile was switched on.
	PointEnabled InstallPoint = 101
)

// InstallOutcome is how it went at a point.
type InstallOutcome string

// The outcomes.
const (
	// OutcomeUnclear is a report whose status tells nothing.
	OutcomeUnclear InstallOutcome = "UNCLEAR"
	// OutcomeDone is a success, with or without a warning.
	OutcomeDone InstallOutcome = "DONE"
	// OutcomeFailedForNow is a failure after which the same profile can be tried again:
	// the phone's eSIM memory is full, or the installation was interrupted. (The eUICC's
	// error reasons 10 and 11 of SGP.22 §2.5.6; every other reason is for good.)
	OutcomeFailedForNow InstallOutcome = "FAILED_FOR_NOW"
	// OutcomeFailed is any other failure.
	OutcomeFailed InstallOutcome = "FAILED"
)

// InstallReport is one thing that the SM-DP+ told.
type InstallReport struct {
	Point   InstallPoint
	Outcome InstallOutcome
}

// After is the state once the report is known. It never goes back: reports come late, twice
// and out of order, so a "downloaded" undoes neither FAILED nor INSTALLED, and a failure
// does not undo INSTALLED. INSTALLED does follow on FAILED: it is what a second try in
// another phone ends with.
//
// A failure for now leaves the state: the same profile can be tried again. A report that is
// not understood (its status, or its point) makes NOT_DOWNLOADED UNKNOWN, because something
// happened to the profile; so does a deletion in the phone, which some vendors report and
// which does not make it downloadable again.
func (s InstallState) After(r InstallReport) InstallState {
	told := r.tells()
	if told.rank() <= s.rank() {
		return s
	}
	return told
}

// tells is the least state that the report proves.
func (r InstallReport) tells() InstallState {
	switch r.Outcome {
	case OutcomeFailedForNow:
		return InstallNotDownloaded
	case OutcomeFailed:
		switch r.Point {
		case PointEligibility, PointConfirmation, PointDownload, PointInstall:
			return InstallFailed
		case PointEnabled:
			// Installed it is, or there would be nothing to switch on; but only a success
			// says so.
		}
	case OutcomeDone:
		switch r.Point {
		case PointEligibility, PointConfirmation:
			return InstallNotDownloaded
		case PointDownload:
			return InstallDownloaded
		case PointInstall, PointEnabled:
			return InstallInstalled
		}
	case OutcomeUnclear:
	}
	return InstallUnknown
}

// rank orders the states; what is not a state ranks lowest.
func (s InstallState) rank() int {
	for i, state := range InstallStates() {
		if s == state {
			return i
		}
	}
	return 0
}

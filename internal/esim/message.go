package esim

// The messages of ES2+ in their JSON binding (SGP.22 §6.5.2).

type requestHeader struct {
	RequesterID string `json:"functionRequesterIdentifier"`
	CallID      string `json:"functionCallIdentifier"`
}

type downloadOrderRequest struct {
	Header      requestHeader `json:"header"`
	ICCID       string        `json:"iccid,omitempty"`
	ProfileType string        `json:"profileType,omitempty"`
}

type confirmOrderRequest struct {
	Header     requestHeader `json:"header"`
	ICCID      string        `json:"iccid"`
	MatchingID string        `json:"matchingId"`
	// ReleaseFlag is without omitempty: it is mandatory, and false means something.
	ReleaseFlag bool `json:"releaseFlag"`
}

type cancelOrderRequest struct {
	Header     requestHeader `json:"header"`
	ICCID      string        `json:"iccid"`
	MatchingID string        `json:"matchingId,omitempty"`
	Final      Final         `json:"finalProfileStatusIndicator"`
}

// reply holds what we read of any reply.
type reply struct {
	Header struct {
		Execution executionStatus `json:"functionExecutionStatus"`
	} `json:"header"`
	ICCID       string `json:"iccid"`
	MatchingID  string `json:"matchingId"`
	SMDPAddress string `json:"smdpAddress"`

	// alreadySo marks a refusal which says that the act was done before; the other fields
	// are empty then.
	alreadySo bool
}

type executionStatus struct {
	Status string `json:"status"`
	Code   struct {
		Subject string `json:"subjectCode"`
		Reason  string `json:"reasonCode"`
		// The subjectIdentifier and message that may stand here are the partner's free
		// text: they are not read, so that they cannot leak.
	} `json:"statusCodeData"`
}

// The values of functionExecutionStatus.status.
const (
	statusSuccess = "Executed-Success"
	statusWarning = "Executed-WithWarning"
	statusFailed  = "Failed"
	statusExpired = "Expired"
)

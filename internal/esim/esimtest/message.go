package esimtest

import "strings"

const adminProtocol = "gsma/rsp/v2.2.0"

// request holds the fields of all four functions.
type request struct {
	Header struct {
		RequesterID string `json:"functionRequesterIdentifier"`
		CallID      string `json:"functionCallIdentifier"`
	} `json:"header"`
	EID         string `json:"eid"`
	ICCID       string `json:"iccid"`
	ProfileType string `json:"profileType"`
	MatchingID  string `json:"matchingId"`
	ReleaseFlag *bool  `json:"releaseFlag"`
	Final       string `json:"finalProfileStatusIndicator"`
}

// reply holds the fields of all four functions.
type reply struct {
	Header struct {
		Execution execution `json:"functionExecutionStatus"`
	} `json:"header"`
	ICCID       string `json:"iccid,omitempty"`
	MatchingID  string `json:"matchingId,omitempty"`
	SMDPAddress string `json:"smdpAddress,omitempty"`
}

type execution struct {
	Status string     `json:"status"`
	Code   *codeFacts `json:"statusCodeData,omitempty"`
}

type codeFacts struct {
	Subject string `json:"subjectCode"`
	Reason  string `json:"reasonCode"`
	Message string `json:"message,omitempty"`
}

// refusal is a pair of codes, "8.2.5/3.7"; empty is none.
type refusal string

// The refusals that it knows (SGP.22 §5.3).
const (
	callerUnknown     refusal = "1.1/1.1"
	parameterBad      refusal = "1.6/2.1"
	parameterMissing  refusal = "1.6/2.2"
	iccidUnknown      refusal = "8.2.1/3.9"
	iccidInUse        refusal = "8.2.1/3.3"
	notReleasable     refusal = "8.2.1/3.5"
	typeUnknown       refusal = "8.2.5/3.9"
	typeNotAllowed    refusal = "8.2.5/1.2"
	typeOutOfStock    refusal = "8.2.5/3.7"
	otherType         refusal = "8.2.5/3.8"
	matchingIDInUse   refusal = "8.2.6/3.3"
	otherMatchingID   refusal = "8.2.6/3.10"
	notEligible       refusal = "8.2.5/4.3"
	installationError refusal = "8.2.10/4.2"
)

// execution is the status that says so, success when there is no refusal.
func (r refusal) execution() execution {
	if r == "" {
		return execution{Status: "Executed-Success"}
	}
	subject, reason, _ := strings.Cut(string(r), "/")
	return execution{Status: "Failed", Code: &codeFacts{
		Subject: subject, Reason: reason, Message: "This refusal is pretended.",
	}}
}

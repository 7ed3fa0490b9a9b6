package server

import (
	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
)

func workflowType(t mobile.Type) dialtonev1.WorkflowType {
	switch t {
	case mobile.TypeNewLine:
		return dialtonev1.WorkflowType_WORKFLOW_TYPE_MOBILE_ACTIVATION
	case mobile.TypePortIn:
		return dialtonev1.WorkflowType_WORKFLOW_TYPE_MOBILE_PORT_IN
	case mobile.TypeFollowUp:
	}
	return dialtonev1.WorkflowType_WORKFLOW_TYPE_UNSPECIFIED
}

func workflowState(s mobile.State) dialtonev1.WorkflowState {
	return enum[dialtonev1.WorkflowState](dialtonev1.WorkflowState_value, "WORKFLOW_STATE_", s)
}

func stepState(s mobile.StepState) dialtonev1.StepState {
	return enum[dialtonev1.StepState](dialtonev1.StepState_value, "STEP_STATE_", s)
}

func party(p mobile.Party) dialtonev1.Party {
	return enum[dialtonev1.Party](dialtonev1.Party_value, "PARTY_", p)
}

func severity(s mobile.Severity) dialtonev1.Severity {
	return enum[dialtonev1.Severity](dialtonev1.Severity_value, "SEVERITY_", s)
}

func profileState(s mobile.ProfileState) dialtonev1.ProfileState {
	return enum[dialtonev1.ProfileState](dialtonev1.ProfileState_value, "PROFILE_STATE_", s)
}

func installState(s mobile.InstallState) dialtonev1.InstallState {
	return enum[dialtonev1.InstallState](dialtonev1.InstallState_value, "INSTALL_STATE_", s)
}

func noticeKind(k mobile.NoticeKind) dialtonev1.NoticeKind {
	return enum[dialtonev1.NoticeKind](dialtonev1.NoticeKind_value, "NOTICE_KIND_", k)
}

func noticeDelivery(s mobile.NoticeState) dialtonev1.NoticeDelivery {
	return enum[dialtonev1.NoticeDelivery](dialtonev1.NoticeDelivery_value, "NOTICE_DELIVERY_", s)
}

func principal(p mobile.Principal) dialtonev1.Principal {
	return enum[dialtonev1.Principal](dialtonev1.Principal_value, "PRINCIPAL_", p)
}

func portState(s mobile.PortState) dialtonev1.PortState {
	return enum[dialtonev1.PortState](dialtonev1.PortState_value, "PORT_STATE_", s)
}

func numberType(t mobile.NumberType) dialtonev1.NumberType {
	return enum[dialtonev1.NumberType](dialtonev1.NumberType_value, "NUMBER_TYPE_", t)
}

func promptKind(k mobile.PromptKind) dialtonev1.PromptKind {
	return enum[dialtonev1.PromptKind](dialtonev1.PromptKind_value, "PROMPT_KIND_", k)
}

package cli

import dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"

// stateTone is green for a good end, red for a bad one, and yellow where a person must act.
func stateTone(state dialtonev1.WorkflowState) tone {
	switch state {
	case dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED:
		return green
	case dialtonev1.WorkflowState_WORKFLOW_STATE_WAITING_FOR_CUSTOMER,
		dialtonev1.WorkflowState_WORKFLOW_STATE_WAITING_FOR_OPERATOR,
		dialtonev1.WorkflowState_WORKFLOW_STATE_UNDOING:
		return yellow
	case dialtonev1.WorkflowState_WORKFLOW_STATE_CANCELLED,
		dialtonev1.WorkflowState_WORKFLOW_STATE_EXPIRED,
		dialtonev1.WorkflowState_WORKFLOW_STATE_REJECTED,
		dialtonev1.WorkflowState_WORKFLOW_STATE_FAILED:
		return red
	default:
		return plain
	}
}

func stepTone(state dialtonev1.StepState) tone {
	switch state {
	case dialtonev1.StepState_STEP_STATE_DONE:
		return green
	case dialtonev1.StepState_STEP_STATE_RETRYING, dialtonev1.StepState_STEP_STATE_WAITING:
		return yellow
	case dialtonev1.StepState_STEP_STATE_REFUSED:
		return red
	case dialtonev1.StepState_STEP_STATE_PENDING, dialtonev1.StepState_STEP_STATE_SKIPPED, dialtonev1.StepState_STEP_STATE_UNDONE:
		return dim
	default:
		return plain
	}
}

// portTone is green once the number has moved, red where it will not, and yellow where the
// customer must act.
func portTone(state dialtonev1.PortState) tone {
	switch state {
	case dialtonev1.PortState_PORT_STATE_COMPLETED:
		return green
	case dialtonev1.PortState_PORT_STATE_AWAITING_INFO, dialtonev1.PortState_PORT_STATE_REFUSED,
		dialtonev1.PortState_PORT_STATE_CANCELLING:
		return yellow
	case dialtonev1.PortState_PORT_STATE_CANCELLED, dialtonev1.PortState_PORT_STATE_EXPIRED:
		return red
	default:
		return plain
	}
}

// promptTone is yellow where the customer must act.
func promptTone(kind dialtonev1.PromptKind) tone {
	switch kind {
	case dialtonev1.PromptKind_PROMPT_KIND_UNSPECIFIED, dialtonev1.PromptKind_PROMPT_KIND_NONE:
		return plain
	default:
		return yellow
	}
}

func severityTone(severity dialtonev1.Severity) tone {
	switch severity {
	case dialtonev1.Severity_SEVERITY_STRANDED, dialtonev1.Severity_SEVERITY_AT_RISK:
		return red
	case dialtonev1.Severity_SEVERITY_ROUTINE:
		return yellow
	default:
		return plain
	}
}

func noticeTone(delivery dialtonev1.NoticeDelivery) tone {
	switch delivery {
	case dialtonev1.NoticeDelivery_NOTICE_DELIVERY_BOUNCED:
		return red
	case dialtonev1.NoticeDelivery_NOTICE_DELIVERY_NO_WORD:
		return yellow
	default:
		return plain
	}
}

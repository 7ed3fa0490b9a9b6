package cli

import (
	"context"

	"github.com/spf13/cobra"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func (a *app) portConfirmCommand() *cobra.Command {
	var action words[dialtonev1.DonorAction]
	command := &cobra.Command{
		Use:   "confirm-donor-action ACTIVATION",
		Short: "Say that the customer has done at the old provider what was asked",
		Long: `Say that the customer has done at the old provider what was asked: taken the lock off,
had the line reactivated, approved the transfer. The port is then sent again with the same
details. Where it was not done after all, it is refused again, and that is one try less.

` + onePortHelp,
		Example: `  dialtone port confirm-donor-action 0199c2e4-7a1b-7c3d-8e4f-0123456789ab
  dialtone port confirm-donor-action 0199c2e4-7a1b-7c3d-8e4f-0123456789ab --action lock-taken-off --revision 3`,
		Args: oneActivation,
	}
	action.add(command, "action", "what was done (default what is asked now)")
	answer := a.newAnswer(command, theOneAsked)
	command.RunE = a.act(portal, func(ctx context.Context, args []string) error {
		a.fields = answerFields("action", "--action")
		request := &dialtonev1.ConfirmDonorActionRequest{ActivationId: args[0], Revision: answer.revision, Action: action.value()}
		if request.GetRevision() == 0 || request.GetAction() == 0 {
			prompt, err := a.readPrompt(ctx, args[0])
			if err != nil {
				return err
			}
			if err := fillConfirmation(request, prompt, answer); err != nil {
				return err
			}
		}
		request.RequestId = answer.requestID(true)
		response, err := dialtonev1.NewPortalServiceClient(a.connection).ConfirmDonorAction(ctx, request)
		if err != nil {
			return err
		}
		return a.verdict(args[0], response)
	})
	return command
}

// fillConfirmation takes from the question what was not named.
func fillConfirmation(request *dialtonev1.ConfirmDonorActionRequest, prompt *dialtonev1.PortingPrompt, answer *answering) error {
	named := request.GetAction() != 0
	if !named {
		request.Action = prompt.GetDonorAction()
	}
	if request.GetAction() == 0 {
		return &exitError{
			code: exitConflict,
			text: "nothing is asked now that is to be done at the old provider",
			next: []string{"see what is asked: " + seePrompt(request.GetActivationId())},
		}
	}
	if request.GetRevision() == 0 {
		request.Revision = answer.on(prompt)
	}
	if !named {
		answer.app.repeatFlags += " --action " + flagWord(word(request.GetAction()))
	}
	return nil
}

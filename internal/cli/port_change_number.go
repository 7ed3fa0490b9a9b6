package cli

import (
	"context"

	"github.com/spf13/cobra"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func (a *app) portChangeNumberCommand() *cobra.Command {
	request := &dialtonev1.ChangeNumberRequest{}
	command := &cobra.Command{
		Use:   "change-number ACTIVATION",
		Short: "Bring another number, or the same from another provider",
		Long: `Bring another number, or the same number from another provider. What was given about the
old one (account number, PIN, address) is dropped for good and asked anew.

` + onePortHelp,
		Example: `  dialtone port change-number 0199c2e4-7a1b-7c3d-8e4f-0123456789ab --number 310-555-0124
  dialtone port change-number 0199c2e4-7a1b-7c3d-8e4f-0123456789ab --donor cricket --revision 3`,
		Args: oneActivation,
	}
	flags := command.Flags()
	flags.StringVar(&request.PortPhoneNumber, "number", "", "the number to bring instead")
	flags.StringVar(&request.PortCarrier, "donor", "", "the carrier that the number leaves, by name or code")
	command.MarkFlagsOneRequired("number", "donor")
	answer := a.newAnswer(command, theOneAsked)
	command.RunE = a.act(portal, func(ctx context.Context, args []string) error {
		a.fields = answerFields("port_phone_number", "--number", "port_carrier", "--donor")
		revision, err := answer.question(ctx, args[0])
		if err != nil {
			return err
		}
		request.ActivationId, request.Revision, request.RequestId = args[0], revision, answer.requestID(true)
		response, err := dialtonev1.NewPortalServiceClient(a.connection).ChangeNumber(ctx, request)
		if err != nil {
			return err
		}
		return a.verdict(args[0], response)
	})
	return command
}

package cli

import (
	"context"

	"github.com/spf13/cobra"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func (a *app) portChangeDeviceCommand() *cobra.Command {
	request := &dialtonev1.ChangeDeviceRequest{}
	command := &cobra.Command{
		Use:   "change-device ACTIVATION",
		Short: "Name another phone, for one that cannot be used",
		Long: `Name another phone, for one that cannot be used. It is checked like the first; what was
given about the number stays.

` + onePortHelp,
		Example: `  dialtone port change-device 0199c2e4-7a1b-7c3d-8e4f-0123456789ab --imei 356938035643809`,
		Args:    oneActivation,
	}
	command.Flags().StringVar(&request.Imei, "imei", "", "the other phone's IMEI, 15 digits; it shows it at *#06#")
	require(command, "imei")
	answer := a.newAnswer(command, theOneAsked)
	command.RunE = a.act(portal, func(ctx context.Context, args []string) error {
		a.fields = answerFields("imei", "--imei")
		revision, err := answer.question(ctx, args[0])
		if err != nil {
			return err
		}
		request.ActivationId, request.Revision, request.RequestId = args[0], revision, answer.requestID(true)
		response, err := dialtonev1.NewPortalServiceClient(a.connection).ChangeDevice(ctx, request)
		if err != nil {
			return err
		}
		return a.verdict(args[0], response)
	})
	return command
}

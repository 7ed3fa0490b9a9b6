package mail

import "github.com/dialtone/dialtone/internal/mobile"

// CodeQR draws an activation code as the *Mobile Activation* mail shows it: a PNG, black on
// opaque white with its white border. Whoever sees it can install the line.
func CodeQR(code mobile.ActivationCode) ([]byte, error) {
	png, _, err := qrPNG(code)
	return png, err
}

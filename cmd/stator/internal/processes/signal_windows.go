package processes

import (
	"errors"
	"os"
)

func signalProcess(*os.Process, bool) error {
	return errors.New("processes cannot be suspended on Windows")
}

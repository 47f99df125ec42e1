// Command pgtui is the console for Pigsty's PostgreSQL services: which
// instance serves each port and why, what a reload would change, and the
// reload itself.
package main

import (
	"os"

	"pgtui/cmd"
)

func main() { os.Exit(cmd.Main()) }

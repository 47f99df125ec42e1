package jsonv1

import "pgtui/plan/file"

// Plan is what `pgtui reload <cluster> --dry-run -o json` prints: the document
// that --out saves, so that what is reviewed is what `pgtui apply` runs.
type Plan = file.Plan

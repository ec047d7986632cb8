package template

// Limits of a template, which are Azure's. The length of an expression is
// expr.MaxLength, and that of a string that a function returns expr.LiteralLimit.
const (
	MaxSize       = 4 << 20 // bytes, before and after it is expanded
	MaxParameters = 256
	MaxVariables  = 256
	MaxResources  = 800 // with all instances of loops
	MaxOutputs    = 64
	MaxCopy       = 800               // instances of one loop
	MaxLevels     = 10                // of templates nested in each other
	MaxTogether   = 10 * MaxResources // in a template and those nested in it, planned in one go
)

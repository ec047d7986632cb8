package compute

import (
	"context"
	"slices"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/fabric"
)

// runShellScript is the one document of a command that there is: what others
// would do can be said in a script.
const runShellScript = "RunShellScript"

// commandDocument describes a command.
type commandDocument struct {
	Schema      string `json:"$schema"`
	ID          string `json:"id"`
	OSType      string `json:"osType"`
	Label       string `json:"label"`
	Description string `json:"description"`
	*commandContent
}

// commandContent is shown of a document by itself.
type commandContent struct {
	Script     []string           `json:"script"`
	Parameters []commandParameter `json:"parameters"`
}

type commandParameter struct {
	Name         string `json:"name"`
	Type         string `json:"type"`
	DefaultValue string `json:"defaultValue"`
	Required     bool   `json:"required"`
}

func viewDocument() commandDocument {
	return commandDocument{
		Schema: "http://schema.management.azure.com/schemas/2016-11-17/runcommands.json", ID: runShellScript, OSType: linux,
		Label: "Run a Linux shell script", Description: "Executes a Linux shell script with parameters, as root, in the virtual machine.",
	}
}

// sampleScript is run where a request has no script of its own.
var sampleScript = []string{"echo This is a sample script with parameters $1 $2"}

func commandEndpoints() []arm.Endpoint {
	return []arm.Endpoint{
		{Method: "GET", Path: locationPath + "/runCommands", Handle: func(context.Context, *arm.Call, map[string]string) (arm.Result, error) {
			return arm.Result{Body: page([]commandDocument{viewDocument()})}, nil
		}},
		{Method: "GET", Path: locationPath + "/runCommands/{command}", Handle: func(_ context.Context, _ *arm.Call, vars map[string]string) (arm.Result, error) {
			if !strings.EqualFold(vars["command"], runShellScript) {
				return arm.Result{}, arm.StatusError(404, "NotFound", "There is no command '%s'. There is %s.", vars["command"], runShellScript)
			}
			d := viewDocument()
			d.commandContent = &commandContent{Script: sampleScript, Parameters: []commandParameter{
				{Name: "arg1", Type: "string", DefaultValue: "hello"}, {Name: "arg2", Type: "string", DefaultValue: "world"},
			}}
			return arm.Result{Body: d}, nil
		}},
	}
}

// readScript reads the body of runCommand.
func readScript(body []byte) (f fabric.Command, err error) {
	var b scriptBody
	if err := arm.Decode(body, &b); err != nil {
		return f, err
	}
	if !strings.EqualFold(b.ID, runShellScript) {
		return f, arm.InvalidParameter("commandId", "The value '%s' of parameter commandId is invalid: there is %s only.", b.ID, runShellScript)
	}
	lines := b.Script
	if len(lines) == 0 {
		lines = sampleScript
	}
	f.Script = strings.Join(lines, "\n")
	if len(f.Script) > maxScript || strings.ContainsRune(f.Script, 0) {
		return f, arm.InvalidParameter("script", "The script is longer than %d bytes, or has a zero byte in it.", maxScript)
	}
	f.Parameters, err = readParameters(b.Parameters)
	return f, err
}

func readParameters(all []parameterBody) ([]fabric.Parameter, error) {
	if len(all) > maxParameters {
		return nil, arm.InvalidParameter("parameters", "There are %d parameters; a script takes up to %d.", len(all), maxParameters)
	}
	var read []fabric.Parameter
	size := 0
	for i, p := range all {
		size += len(p.Name) + len(p.Value)
		if p.Name == "" || strings.ContainsRune(p.Value, 0) || size > maxScript {
			return nil, arm.InvalidParameter(elementOf("parameters", i), "A parameter needs a name, and a value without a zero byte; all of them together have %d bytes at most.", maxScript)
		}
		if slices.ContainsFunc(read, func(q fabric.Parameter) bool { return q.Name == p.Name }) {
			return nil, arm.InvalidParameter(elementOf("parameters", i), "The parameter '%s' is given twice.", p.Name)
		}
		read = append(read, fabric.Parameter{Name: p.Name, Value: p.Value})
	}
	return read, nil
}

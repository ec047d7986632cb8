package template

import (
	"errors"
	"fmt"

	"lazuli/internal/template/expr"
	"lazuli/internal/template/jsonc"
)

// The codes of errors, which are Azure's.
const (
	CodeInvalidTemplate = "InvalidTemplate"                  // what the template says is wrong
	CodeInvalidContent  = "InvalidRequestContent"            // it is no template at all
	CodeTooLarge        = "JobSizeExceeded"                  // it is too large once it is expanded
	CodeOutputs         = "DeploymentOutputEvaluationFailed" // its outputs cannot be evaluated
	CodeKeyVault        = "KeyVaultParameterReferenceNotFound"
	CodeInvalid         = "InvalidTemplateDeployment" // what the template makes is refused
	CodeFailed          = "DeploymentFailed"          // it was tried
)

// Error is a template that cannot be deployed, in the form of an ARM error.
type Error struct {
	Code           string           `json:"code"`
	Message        string           `json:"message"`
	Target         string           `json:"target,omitempty"`
	Details        []*Error         `json:"details,omitempty"`
	AdditionalInfo []AdditionalInfo `json:"additionalInfo,omitempty"`
}

// AdditionalInfo says where in the template the error is.
type AdditionalInfo struct {
	Type string    `json:"type"` // TemplateViolation
	Info Violation `json:"info"`
}

// Violation is a place in the text of a request: line and column as Azure
// counts them, and the path of the value from the top.
type Violation struct {
	LineNumber   uint32 `json:"lineNumber"`
	LinePosition uint32 `json:"linePosition"`
	Path         string `json:"path"`
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// InvalidContent is the error of a request that is not even JSON.
func InvalidContent(err error) *Error {
	e := parseFailed(err)
	e.Code, e.Message = CodeInvalidContent, "The request content was invalid and could not be deserialized: '"+err.Error()+"'."
	return e
}

// InvalidDeployment is the error of a deployment whose template is right and
// whose resources would be refused, with what is said of them.
func InvalidDeployment(name, trackingID string, details ...*Error) *Error {
	return &Error{Code: CodeInvalid, Details: details, Message: fmt.Sprintf("The template deployment '%s' is not valid according to the validation procedure. The tracking id is '%s'. See inner errors for details.", name, trackingID)}
}

// DeploymentFailed is the error of a deployment of which a resource or the
// outputs failed.
func DeploymentFailed(details ...*Error) *Error {
	return &Error{Code: CodeFailed, Details: details, Message: "At least one resource deployment operation failed. Please list deployment operations for details. Please see https://aka.ms/arm-deployment-operations for usage details."}
}

// place is where a part of the template stands.
type place struct {
	pos  jsonc.Pos
	path string
}

// at is a place below this one.
func (p place) at(pos jsonc.Pos, format string, a ...any) place {
	return place{pos: pos, path: p.path + fmt.Sprintf(format, a...)}
}

// invalid is the error of a template that says something wrong in this place.
func (p place) invalid(format string, a ...any) *Error {
	return &Error{
		Code:           CodeInvalidTemplate,
		Message:        "Deployment template validation failed: '" + fmt.Sprintf(format, a...) + "'.",
		AdditionalInfo: []AdditionalInfo{{Type: "TemplateViolation", Info: Violation{p.pos.Line, p.pos.Column, p.path}}},
	}
}

func (p place) String() string {
	return fmt.Sprintf("at line '%d' and column '%d'", p.pos.Line, p.pos.Column)
}

// said is what went wrong with an expression, and false for an error that the
// template is not to blame for.
func said(err error) (string, bool) {
	var wrong *expr.Error
	if errors.As(err, &wrong) {
		return wrong.Message, true
	}
	var costly *expr.BudgetError
	if errors.As(err, &costly) {
		return costly.Message, true
	}
	return "", false
}

// blame makes the error of an expression one of the template. Other errors,
// such as those of the Runtime, stay as they are.
func (p place) blame(err error, format string, a ...any) error {
	message, ok := said(err)
	if !ok {
		return err
	}
	return p.invalid("%s is not valid: %s. Please see https://aka.ms/arm-functions for usage details.", fmt.Sprintf(format, a...), message)
}

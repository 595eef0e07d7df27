//! CallFunction: one call of a pure function.

use std::sync::Arc;

use super::Server;
use crate::function::{Function, FunctionError};
use crate::value::Dynamic;
use crate::wire::message::{self, CallFunctionRequest, CallFunctionResponse, DynamicValue};
use crate::wire::{self, InvalidValue};

pub(crate) async fn handle(server: Arc<Server>, request: CallFunctionRequest) -> CallFunctionResponse {
    match call(&server, request).await {
        Ok(result) => CallFunctionResponse { result: Some(result), error: None },
        Err(error) => {
            let function_argument = error.argument.and_then(|argument| i64::try_from(argument).ok());
            CallFunctionResponse { result: None, error: Some(message::FunctionError { text: error.text, function_argument }) }
        }
    }
}

async fn call(server: &Server, request: CallFunctionRequest) -> Result<DynamicValue, FunctionError> {
    let function = server.functions.get(request.name.as_str()).cloned();
    let function = function.ok_or_else(|| whole(format!("there is no function {} in this version of the provider", request.name)))?;
    let arguments = arguments(function.as_ref(), &request.arguments)?;
    let kind = function.result();
    let result = server.guard("calling a function", async move { function.call(&arguments) }).await;
    let result = result.map_err(|panic| whole(panic.draw()))??;
    wire::encode(&result, &kind).map_err(|invalid| whole(format!("the function made a wrong value: {}", invalid.what)))
}

fn arguments(function: &dyn Function, given: &[DynamicValue]) -> Result<Vec<Dynamic>, FunctionError> {
    let parameters = function.parameters();
    if parameters.len() != given.len() {
        return Err(whole(format!("{} takes {} arguments", function.name(), parameters.len())));
    }
    let blame = |index| move |invalid: InvalidValue| FunctionError { text: invalid.what, argument: Some(index) };
    let decoded = parameters.iter().zip(given).enumerate();
    decoded.map(|(index, (parameter, value))| wire::decode(Some(value), &parameter.kind).map_err(blame(index))).collect()
}

fn whole(text: String) -> FunctionError {
    FunctionError { text, argument: None }
}

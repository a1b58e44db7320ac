//! The hands at work: real JupyterLab servers, real function processes, and the proxy against notebooks that behave and
//! that do not.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "all of this is tests, its helpers too")]
mod egress;
mod functions;
mod isolated;
mod jupyter;
mod proxy;
mod proxy_attacks;
mod proxy_limits;
mod sandbox;
mod support;
mod zygote;

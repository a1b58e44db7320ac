//! What buckets are set to, on the wire.

use s3s::{S3Request, S3Response, dto};

use super::convert::{canonical_id, known_algorithm, owner, refusal, tag_set, tags};
use super::rewrite::with_namespace;
use super::{Answer, Call, with_status};
use crate::services::s3::config::{encryption, ownership, policy, public_access, tagging, versioning};
use crate::services::s3::error::Error;
use crate::services::s3::state::{Encryption, PublicAccess};

/// A function that answers with an empty document.
macro_rules! silent {
    ($($function:ident: $input:ident -> $output:ident = $module:ident::$operation:ident;)*) => {$(
        pub(super) async fn $function(
            call: &Call,
            request: S3Request<dto::$input>,
        ) -> Answer<S3Response<dto::$output>> {
            call.make($module::$operation { bucket: request.input.bucket }).await?;
            Ok(S3Response::new(dto::$output::default()))
        }
    )*};
}

silent! {
    delete_encryption: DeleteBucketEncryptionInput -> DeleteBucketEncryptionOutput = encryption::DeleteBucketEncryption;
    delete_ownership: DeleteBucketOwnershipControlsInput -> DeleteBucketOwnershipControlsOutput = ownership::DeleteBucketOwnershipControls;
    delete_policy: DeleteBucketPolicyInput -> DeleteBucketPolicyOutput = policy::DeleteBucketPolicy;
    delete_public_access: DeletePublicAccessBlockInput -> DeletePublicAccessBlockOutput = public_access::DeletePublicAccessBlock;
    delete_tagging: DeleteBucketTaggingInput -> DeleteBucketTaggingOutput = tagging::DeleteBucketTagging;
}

pub(super) async fn put_encryption(
    call: &Call,
    request: S3Request<dto::PutBucketEncryptionInput>,
) -> Answer<S3Response<dto::PutBucketEncryptionOutput>> {
    let input = request.input;
    let [rule] = &input.server_side_encryption_configuration.rules[..] else {
        return Err(refusal(Error::MalformedXml));
    };
    let Some(default) = &rule.apply_server_side_encryption_by_default else {
        return Err(refusal(Error::MalformedXml));
    };
    let algorithm = default.sse_algorithm.as_str().to_owned();
    known_algorithm(&algorithm).map_err(|_| refusal(Error::MalformedXml))?;
    let encryption = Encryption {
        algorithm,
        kms_key: default.kms_master_key_id.clone(),
        bucket_key: rule.bucket_key_enabled.unwrap_or(false),
    };
    call.make(encryption::PutBucketEncryption { bucket: input.bucket, encryption }).await?;
    Ok(S3Response::new(dto::PutBucketEncryptionOutput::default()))
}

pub(super) async fn get_encryption(
    call: &Call,
    request: S3Request<dto::GetBucketEncryptionInput>,
) -> Answer<S3Response<dto::GetBucketEncryptionOutput>> {
    let found = call.make(encryption::GetBucketEncryption { bucket: request.input.bucket }).await?;
    let rule = dto::ServerSideEncryptionRule {
        apply_server_side_encryption_by_default: Some(dto::ServerSideEncryptionByDefault {
            kms_master_key_id: found.kms_key,
            sse_algorithm: found.algorithm.into(),
        }),
        bucket_key_enabled: Some(found.bucket_key),
    };
    let configuration = dto::ServerSideEncryptionConfiguration { rules: vec![rule] };
    Ok(with_namespace(dto::GetBucketEncryptionOutput {
        server_side_encryption_configuration: Some(configuration),
    }))
}

pub(super) async fn put_public_access(
    call: &Call,
    request: S3Request<dto::PutPublicAccessBlockInput>,
) -> Answer<S3Response<dto::PutPublicAccessBlockOutput>> {
    let input = request.input;
    let asked = input.public_access_block_configuration;
    let settings = PublicAccess {
        block_public_acls: asked.block_public_acls.unwrap_or(false),
        ignore_public_acls: asked.ignore_public_acls.unwrap_or(false),
        block_public_policy: asked.block_public_policy.unwrap_or(false),
        restrict_public_buckets: asked.restrict_public_buckets.unwrap_or(false),
    };
    call.make(public_access::PutPublicAccessBlock { bucket: input.bucket, settings }).await?;
    Ok(S3Response::new(dto::PutPublicAccessBlockOutput::default()))
}

pub(super) async fn get_public_access(
    call: &Call,
    request: S3Request<dto::GetPublicAccessBlockInput>,
) -> Answer<S3Response<dto::GetPublicAccessBlockOutput>> {
    let found = call.make(public_access::GetPublicAccessBlock { bucket: request.input.bucket }).await?;
    let configuration = dto::PublicAccessBlockConfiguration {
        block_public_acls: Some(found.block_public_acls),
        ignore_public_acls: Some(found.ignore_public_acls),
        block_public_policy: Some(found.block_public_policy),
        restrict_public_buckets: Some(found.restrict_public_buckets),
    };
    Ok(with_namespace(dto::GetPublicAccessBlockOutput {
        public_access_block_configuration: Some(configuration),
    }))
}

pub(super) async fn put_versioning(
    call: &Call,
    request: S3Request<dto::PutBucketVersioningInput>,
) -> Answer<S3Response<dto::PutBucketVersioningOutput>> {
    let input = request.input;
    let asked = input.versioning_configuration;
    if asked.mfa_delete.is_some_and(|mfa| mfa.as_str() == "Enabled") {
        return Err(refusal(Error::NotImplemented("nbvend does not serve MFA delete".to_owned())));
    }
    let status = asked.status.map(|status| status.as_str().to_owned());
    call.make(versioning::PutBucketVersioning { bucket: input.bucket, status }).await?;
    Ok(S3Response::new(dto::PutBucketVersioningOutput::default()))
}

pub(super) async fn get_versioning(
    call: &Call,
    request: S3Request<dto::GetBucketVersioningInput>,
) -> Answer<S3Response<dto::GetBucketVersioningOutput>> {
    let found = call.make(versioning::GetBucketVersioning { bucket: request.input.bucket }).await?;
    let status = found.status.map(dto::BucketVersioningStatus::from_static);
    Ok(S3Response::new(dto::GetBucketVersioningOutput { status, ..Default::default() }))
}

pub(super) async fn put_tagging(
    call: &Call,
    request: S3Request<dto::PutBucketTaggingInput>,
) -> Answer<S3Response<dto::PutBucketTaggingOutput>> {
    let input = request.input;
    call.make(tagging::PutBucketTagging { bucket: input.bucket, tags: tags(input.tagging) }).await?;
    // AWS's answer has no body and this status; the SDKs take either.
    Ok(with_status(dto::PutBucketTaggingOutput::default(), http::StatusCode::NO_CONTENT))
}

pub(super) async fn get_tagging(
    call: &Call,
    request: S3Request<dto::GetBucketTaggingInput>,
) -> Answer<S3Response<dto::GetBucketTaggingOutput>> {
    let found = call.make(tagging::GetBucketTagging { bucket: request.input.bucket }).await?;
    Ok(S3Response::new(dto::GetBucketTaggingOutput { tag_set: tag_set(found.tags) }))
}

pub(super) async fn put_policy(
    call: &Call,
    request: S3Request<dto::PutBucketPolicyInput>,
) -> Answer<S3Response<dto::PutBucketPolicyOutput>> {
    let input = request.input;
    call.make(policy::PutBucketPolicy { bucket: input.bucket, policy: input.policy }).await?;
    Ok(with_status(dto::PutBucketPolicyOutput::default(), http::StatusCode::NO_CONTENT))
}

pub(super) async fn get_policy(
    call: &Call,
    request: S3Request<dto::GetBucketPolicyInput>,
) -> Answer<S3Response<dto::GetBucketPolicyOutput>> {
    let found = call.make(policy::GetBucketPolicy { bucket: request.input.bucket }).await?;
    let mut response = S3Response::new(dto::GetBucketPolicyOutput { policy: Some(found.policy) });
    response.headers.insert("content-type", http::HeaderValue::from_static("application/json"));
    Ok(response)
}

pub(super) async fn get_policy_status(
    call: &Call,
    request: S3Request<dto::GetBucketPolicyStatusInput>,
) -> Answer<S3Response<dto::GetBucketPolicyStatusOutput>> {
    let found = call.make(policy::GetBucketPolicyStatus { bucket: request.input.bucket }).await?;
    let policy_status = Some(dto::PolicyStatus { is_public: Some(found.is_public) });
    Ok(with_namespace(dto::GetBucketPolicyStatusOutput { policy_status }))
}

pub(super) async fn put_ownership(
    call: &Call,
    request: S3Request<dto::PutBucketOwnershipControlsInput>,
) -> Answer<S3Response<dto::PutBucketOwnershipControlsOutput>> {
    let input = request.input;
    let [rule] = &input.ownership_controls.rules[..] else { return Err(refusal(Error::MalformedXml)) };
    let object_ownership = rule.object_ownership.as_str().to_owned();
    call.make(ownership::PutBucketOwnershipControls { bucket: input.bucket, object_ownership }).await?;
    Ok(S3Response::new(dto::PutBucketOwnershipControlsOutput::default()))
}

pub(super) async fn get_ownership(
    call: &Call,
    request: S3Request<dto::GetBucketOwnershipControlsInput>,
) -> Answer<S3Response<dto::GetBucketOwnershipControlsOutput>> {
    let found = call.make(ownership::GetBucketOwnershipControls { bucket: request.input.bucket }).await?;
    let object_ownership = found.object_ownership.to_owned().into();
    let controls = dto::OwnershipControls { rules: vec![dto::OwnershipControlsRule { object_ownership }] };
    Ok(with_namespace(dto::GetBucketOwnershipControlsOutput { ownership_controls: Some(controls) }))
}

pub(super) async fn get_acl(
    call: &Call,
    request: S3Request<dto::GetBucketAclInput>,
) -> Answer<S3Response<dto::GetBucketAclOutput>> {
    call.make(ownership::GetBucketAcl { bucket: request.input.bucket }).await?;
    let account = &call.engine.config().account;
    let grantee = dto::Grantee {
        display_name: None,
        email_address: None,
        id: Some(canonical_id(account)),
        type_: dto::Type::from_static(dto::Type::CANONICAL_USER),
        uri: None,
    };
    let permission = Some(dto::Permission::from_static(dto::Permission::FULL_CONTROL));
    let grants = Some(vec![dto::Grant { grantee: Some(grantee), permission }]);
    Ok(S3Response::new(dto::GetBucketAclOutput { grants, owner: Some(owner(account)) }))
}

/// A canned ACL was looked at before; a document of grants is what the bucket does not allow.
pub(super) async fn put_acl(
    call: &Call,
    request: S3Request<dto::PutBucketAclInput>,
) -> Answer<S3Response<dto::PutBucketAclOutput>> {
    let input = request.input;
    if input.access_control_policy.is_some() {
        return Err(refusal(Error::AclNotSupported));
    }
    call.make(ownership::PutBucketAcl { bucket: input.bucket }).await?;
    Ok(S3Response::new(dto::PutBucketAclOutput::default()))
}

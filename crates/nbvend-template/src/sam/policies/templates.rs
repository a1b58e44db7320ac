//! SAM's policy templates: statements with a few blanks for names, as the SAM developer guide lists them.

use crate::sam::node::{Dict, Node, dict};

/// A template's name, its parameters, its statements.
pub(super) struct Template {
    name: &'static str,
    parameters: &'static [&'static str],
    statements: &'static [Statement],
}

struct Statement {
    /// Prefix of the actions, without the colon.
    service: &'static str,
    /// Action names, separated by spaces.
    actions: &'static str,
    on: On,
}

/// What the actions are allowed on. A place is `service|rest` for an ARN with Region and account, or the whole
/// text of an ARN; `${name}` is a parameter in lower camel case.
enum On {
    /// `*`
    All,
    /// One, not in a list.
    One(&'static str),
    /// A list.
    List(&'static [&'static str]),
    /// One, with its single action not in a list either.
    Bare(&'static str),
    /// Secrets that name the function as the one that rotates them.
    Rotated,
}

impl Template {
    pub(super) fn parameters(&self) -> Vec<&'static str> {
        self.parameters.to_vec()
    }

    /// The policy document, with what was given for each parameter.
    pub(super) fn fill(&self, given: &Dict) -> Dict {
        let statements: Vec<Node> =
            self.statements.iter().map(|statement| self.statement(statement, given)).collect();
        dict! { "Statement" => statements }
    }

    fn statement(&self, statement: &Statement, given: &Dict) -> Node {
        let action = |name: &str| Node::from(format!("{}:{name}", statement.service));
        let actions = match statement.on {
            On::Bare(_) => action(statement.actions),
            _ => Node::List(statement.actions.split(' ').map(action).collect()),
        };
        let mut made = dict! { "Action" => actions, "Effect" => "Allow" };
        let resource = match &statement.on {
            On::All => Node::from("*"),
            On::One(place) | On::Bare(place) => self.place(place, given),
            On::List(places) => Node::List(places.iter().map(|place| self.place(place, given)).collect()),
            On::Rotated => {
                let function = self.place("lambda|function:${functionName}", given);
                let key = "secretsmanager:resource/AllowRotationLambdaArn";
                made.insert("Condition", dict! { "StringEquals" => dict! { key => function } });
                self.place("secretsmanager|secret:*", given)
            }
        };
        made.insert("Resource", resource);
        made.into()
    }

    fn place(&self, place: &str, given: &Dict) -> Node {
        let text = match place.split_once('|') {
            Some((service, rest)) => {
                format!("arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{rest}")
            }
            None => place.to_owned(),
        };
        let mut names = Dict::new();
        for part in text.split("${").skip(1) {
            let Some((name, _)) = part.split_once('}') else { continue };
            let parameter = self.parameters.iter().find(|parameter| parameter.eq_ignore_ascii_case(name));
            if let Some(value) = parameter.and_then(|parameter| given.get(parameter)) {
                names.insert(name, value.clone());
            }
        }
        let text = Node::from(text);
        let sub = if names.is_empty() { text } else { Node::List(vec![text, names.into()]) };
        dict! { "Fn::Sub" => sub }.into()
    }
}

pub(super) fn find(name: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.name == name)
}

const fn template(
    name: &'static str,
    parameters: &'static [&'static str],
    statements: &'static [Statement],
) -> Template {
    Template { name, parameters, statements }
}

const fn allow(service: &'static str, actions: &'static str, on: On) -> Statement {
    Statement { service, actions, on }
}

const BUCKET: On =
    On::List(&["arn:${AWS::Partition}:s3:::${bucketName}", "arn:${AWS::Partition}:s3:::${bucketName}/*"]);
const TABLE: On = On::List(&["dynamodb|table/${tableName}", "dynamodb|table/${tableName}/index/*"]);
const ONE_TABLE: On = On::One("dynamodb|table/${tableName}");
const BACKUPS: On = On::One("dynamodb|table/${tableName}/backup/*");
const COLLECTION: On = On::One("rekognition|collection/${collectionId}");
const IDENTITY: On = On::One("ses|identity/${identityName}");
const STATE_MACHINE: On = On::One("states|stateMachine:${stateMachineName}");
const STREAM: On = On::One("kinesis|stream/${streamName}");
const QUEUE: On = On::One("sqs|${queueName}");
const REPOSITORY: On = On::One("codecommit|${repositoryName}");

const READ_REPOSITORY: &str = "GitPull GetBranch ListBranches BatchDescribeMergeConflicts DescribeMergeConflicts \
    GetMergeCommit GetMergeOptions BatchGetPullRequests DescribePullRequestEvents GetCommentsForPullRequest \
    GetCommitsFromMergeBase GetMergeConflicts GetPullRequest ListPullRequests GetBlob GetFile GetFolder GetComment \
    GetCommentsForComparedCommit BatchGetCommits GetCommit GetCommitHistory GetDifferences GetObjectIdentifier \
    GetReferences GetTree GetRepository ListTagsForResource GetRepositoryTriggers TestRepositoryTriggers GetBranch \
    GetCommit GetUploadArchiveStatus";
const CHANGE_REPOSITORY: &str = "GitPull GitPush CreateBranch DeleteBranch GetBranch ListBranches \
    MergeBranchesByFastForward MergeBranchesBySquash MergeBranchesByThreeWay UpdateDefaultBranch \
    BatchDescribeMergeConflicts CreateUnreferencedMergeCommit DescribeMergeConflicts GetMergeCommit GetMergeOptions \
    BatchGetPullRequests CreatePullRequest DescribePullRequestEvents GetCommentsForPullRequest \
    GetCommitsFromMergeBase GetMergeConflicts GetPullRequest ListPullRequests MergePullRequestByFastForward \
    MergePullRequestBySquash MergePullRequestByThreeWay PostCommentForPullRequest UpdatePullRequestDescription \
    UpdatePullRequestStatus UpdatePullRequestTitle DeleteFile GetBlob GetFile GetFolder PutFile \
    DeleteCommentContent GetComment GetCommentsForComparedCommit PostCommentForComparedCommit PostCommentReply \
    UpdateComment BatchGetCommits CreateCommit GetCommit GetCommitHistory GetDifferences GetObjectIdentifier \
    GetReferences GetTree GetRepository UpdateRepositoryDescription ListTagsForResource TagResource UntagResource \
    GetRepositoryTriggers PutRepositoryTriggers TestRepositoryTriggers GetBranch GetCommit UploadArchive \
    GetUploadArchiveStatus CancelUploadArchive";

#[rustfmt::skip]
const TEMPLATES: &[Template] = &[
    template("AMIDescribePolicy", &[], &[allow("ec2", "DescribeImages", On::All)]),
    template("AWSSecretsManagerGetSecretValuePolicy", &["SecretArn"], &[
        allow("secretsmanager", "GetSecretValue", On::One("${secretArn}")),
    ]),
    template("AWSSecretsManagerRotationPolicy", &["FunctionName"], &[
        allow("secretsmanager", "DescribeSecret GetSecretValue PutSecretValue UpdateSecretVersionStage", On::Rotated),
        allow("secretsmanager", "GetRandomPassword", On::All),
    ]),
    template("AcmGetCertificatePolicy", &["CertificateArn"], &[
        allow("acm", "GetCertificate", On::One("${certificateArn}")),
    ]),
    template("AthenaQueryPolicy", &["WorkGroupName"], &[
        allow("athena", "ListWorkGroups GetExecutionEngine GetExecutionEngines GetNamespace GetCatalogs \
            GetNamespaces GetTables GetTable", On::All),
        allow("athena", "StartQueryExecution GetQueryResults DeleteNamedQuery GetNamedQuery ListQueryExecutions \
            StopQueryExecution GetQueryResultsStream ListNamedQueries CreateNamedQuery GetQueryExecution \
            BatchGetNamedQuery BatchGetQueryExecution GetWorkGroup", On::One("athena|workgroup/${workgroupName}")),
    ]),
    template("CloudFormationDescribeStacksPolicy", &[], &[
        allow("cloudformation", "DescribeStacks", On::One("cloudformation|stack/*")),
    ]),
    template("CloudWatchDashboardPolicy", &[], &[
        allow("cloudwatch", "GetDashboard ListDashboards PutDashboard ListMetrics", On::All),
    ]),
    template("CloudWatchDescribeAlarmHistoryPolicy", &[], &[
        allow("cloudwatch", "DescribeAlarmHistory", On::All),
    ]),
    template("CloudWatchPutMetricPolicy", &[], &[allow("cloudwatch", "PutMetricData", On::All)]),
    template("CodeCommitCrudPolicy", &["RepositoryName"], &[allow("codecommit", CHANGE_REPOSITORY, REPOSITORY)]),
    template("CodeCommitReadPolicy", &["RepositoryName"], &[allow("codecommit", READ_REPOSITORY, REPOSITORY)]),
    template("CodePipelineLambdaExecutionPolicy", &[], &[
        allow("codepipeline", "PutJobSuccessResult PutJobFailureResult", On::All),
    ]),
    template("CodePipelineReadOnlyPolicy", &["PipelineName"], &[
        allow("codepipeline", "ListPipelineExecutions", On::One("codepipeline|${pipelinename}")),
    ]),
    template("ComprehendBasicAccessPolicy", &[], &[
        allow("comprehend", "BatchDetectKeyPhrases DetectDominantLanguage DetectEntities BatchDetectEntities \
            DetectKeyPhrases DetectSentiment BatchDetectDominantLanguage BatchDetectSentiment", On::All),
    ]),
    template("CostExplorerReadOnlyPolicy", &[], &[
        allow("ce", "GetCostAndUsage GetDimensionValues GetReservationCoverage \
            GetReservationPurchaseRecommendation GetReservationUtilization GetTags", On::All),
    ]),
    template("DynamoDBBackupFullAccessPolicy", &["TableName"], &[
        allow("dynamodb", "CreateBackup DescribeContinuousBackups", ONE_TABLE),
        allow("dynamodb", "DeleteBackup DescribeBackup ListBackups", BACKUPS),
    ]),
    template("DynamoDBCrudPolicy", &["TableName"], &[
        allow("dynamodb", "GetItem DeleteItem PutItem Scan Query UpdateItem BatchWriteItem BatchGetItem \
            DescribeTable ConditionCheckItem", TABLE),
    ]),
    template("DynamoDBReadPolicy", &["TableName"], &[
        allow("dynamodb", "GetItem Scan Query BatchGetItem DescribeTable", TABLE),
    ]),
    template("DynamoDBReconfigurePolicy", &["TableName"], &[allow("dynamodb", "UpdateTable", ONE_TABLE)]),
    template("DynamoDBRestoreFromBackupPolicy", &["TableName"], &[
        allow("dynamodb", "RestoreTableFromBackup", BACKUPS),
        allow("dynamodb", "PutItem UpdateItem DeleteItem GetItem Query Scan BatchWriteItem", ONE_TABLE),
    ]),
    template("DynamoDBStreamReadPolicy", &["TableName", "StreamName"], &[
        allow("dynamodb", "DescribeStream GetRecords GetShardIterator",
            On::One("dynamodb|table/${tableName}/stream/${streamName}")),
        allow("dynamodb", "ListStreams", On::One("dynamodb|table/${tableName}/stream/*")),
    ]),
    template("DynamoDBWritePolicy", &["TableName"], &[
        allow("dynamodb", "PutItem UpdateItem BatchWriteItem", TABLE),
    ]),
    template("EC2CopyImagePolicy", &["ImageId"], &[allow("ec2", "CopyImage", On::One("ec2|image/${imageId}"))]),
    template("EC2DescribePolicy", &[], &[allow("ec2", "DescribeRegions DescribeInstances", On::All)]),
    template("EKSDescribePolicy", &[], &[allow("eks", "DescribeCluster ListClusters", On::All)]),
    template("ElasticsearchHttpPostPolicy", &["DomainName"], &[
        allow("es", "ESHttpPost ESHttpPut", On::One("es|domain/${domainName}/*")),
    ]),
    template("EventBridgePutEventsPolicy", &["EventBusName"], &[
        allow("events", "PutEvents", On::Bare("events|event-bus/${eventBusName}")),
    ]),
    template("FilterLogEventsPolicy", &["LogGroupName"], &[
        allow("logs", "FilterLogEvents", On::One("logs|log-group:${logGroupName}:log-stream:*")),
    ]),
    template("KMSDecryptPolicy", &["KeyId"], &[allow("kms", "Decrypt", On::Bare("kms|key/${keyId}"))]),
    template("KMSEncryptPolicy", &["KeyId"], &[allow("kms", "Encrypt", On::Bare("kms|key/${keyId}"))]),
    template("KMSEncryptPolicy_v2", &["KeyId"], &[
        allow("kms", "Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext GenerateDataKeyPair \
            GenerateDataKeyPairWithoutPlaintext", On::One("kms|key/${keyId}")),
    ]),
    template("KinesisCrudPolicy", &["StreamName"], &[
        allow("kinesis", "AddTagsToStream CreateStream DecreaseStreamRetentionPeriod DeleteStream DescribeStream \
            DescribeStreamSummary GetShardIterator IncreaseStreamRetentionPeriod ListTagsForStream MergeShards \
            PutRecord PutRecords SplitShard RemoveTagsFromStream", STREAM),
    ]),
    template("KinesisStreamReadPolicy", &["StreamName"], &[
        allow("kinesis", "ListStreams DescribeLimits", On::One("kinesis|stream/*")),
        allow("kinesis", "DescribeStream DescribeStreamSummary GetRecords GetShardIterator", STREAM),
    ]),
    template("LambdaInvokePolicy", &["FunctionName"], &[
        allow("lambda", "InvokeFunction", On::One("lambda|function:${functionName}*")),
    ]),
    template("MobileAnalyticsWriteOnlyAccessPolicy", &[], &[allow("mobileanalytics", "PutEvents", On::All)]),
    template("OrganizationsListAccountsPolicy", &[], &[allow("organizations", "ListAccounts", On::All)]),
    template("PinpointEndpointAccessPolicy", &["PinpointApplicationId"], &[
        allow("mobiletargeting", "GetEndpoint UpdateEndpoint UpdateEndpointsBatch",
            On::One("mobiletargeting|apps/${pinpointApplicationId}/endpoints/*")),
    ]),
    template("PollyFullAccessPolicy", &["LexiconName"], &[
        allow("polly", "GetLexicon DeleteLexicon", On::List(&["polly|lexicon/${lexiconName}"])),
        allow("polly", "DescribeVoices ListLexicons PutLexicon SynthesizeSpeech", On::List(&["polly|lexicon/*"])),
    ]),
    template("RekognitionDetectOnlyPolicy", &[], &[
        allow("rekognition", "DetectFaces DetectLabels DetectModerationLabels DetectText", On::All),
    ]),
    template("RekognitionFacesManagementPolicy", &["CollectionId"], &[
        allow("rekognition", "IndexFaces DeleteFaces SearchFaces SearchFacesByImage ListFaces", COLLECTION),
    ]),
    template("RekognitionFacesPolicy", &[], &[allow("rekognition", "CompareFaces DetectFaces", On::All)]),
    template("RekognitionLabelsPolicy", &[], &[
        allow("rekognition", "DetectLabels DetectModerationLabels", On::All),
    ]),
    template("RekognitionNoDataAccessPolicy", &["CollectionId"], &[
        allow("rekognition", "CompareFaces DetectFaces DetectLabels DetectModerationLabels", COLLECTION),
    ]),
    template("RekognitionReadPolicy", &["CollectionId"], &[
        allow("rekognition", "ListCollections ListFaces SearchFaces SearchFacesByImage", COLLECTION),
    ]),
    template("RekognitionWriteOnlyAccessPolicy", &["CollectionId"], &[
        allow("rekognition", "CreateCollection IndexFaces", COLLECTION),
    ]),
    template("Route53ChangeResourceRecordSetsPolicy", &["HostedZoneId"], &[
        allow("route53", "ChangeResourceRecordSets",
            On::One("arn:${AWS::Partition}:route53:::hostedzone/${HostedZoneId}")),
    ]),
    template("S3CrudPolicy", &["BucketName"], &[
        allow("s3", "GetObject ListBucket GetBucketLocation GetObjectVersion PutObject PutObjectAcl \
            GetLifecycleConfiguration PutLifecycleConfiguration DeleteObject", BUCKET),
    ]),
    template("S3FullAccessPolicy", &["BucketName"], &[
        allow("s3", "GetObject GetObjectAcl GetObjectVersion PutObject PutObjectAcl DeleteObject \
            DeleteObjectTagging DeleteObjectVersionTagging GetObjectTagging GetObjectVersionTagging \
            PutObjectTagging PutObjectVersionTagging",
            On::List(&["arn:${AWS::Partition}:s3:::${bucketName}/*"])),
        allow("s3", "ListBucket GetBucketLocation GetLifecycleConfiguration PutLifecycleConfiguration",
            On::List(&["arn:${AWS::Partition}:s3:::${bucketName}"])),
    ]),
    template("S3ReadPolicy", &["BucketName"], &[
        allow("s3", "GetObject ListBucket GetBucketLocation GetObjectVersion GetLifecycleConfiguration", BUCKET),
    ]),
    template("S3WritePolicy", &["BucketName"], &[
        allow("s3", "PutObject PutObjectAcl PutLifecycleConfiguration", BUCKET),
    ]),
    template("SESBulkTemplatedCrudPolicy", &["IdentityName"], &[
        allow("ses", "GetIdentityVerificationAttributes SendEmail SendRawEmail SendTemplatedEmail \
            SendBulkTemplatedEmail VerifyEmailIdentity", IDENTITY),
    ]),
    template("SESBulkTemplatedCrudPolicy_v2", &["IdentityName", "TemplateName"], &[
        allow("ses", "SendEmail SendRawEmail SendTemplatedEmail SendBulkTemplatedEmail",
            On::List(&["ses|identity/${identityName}", "ses|template/${templateName}"])),
        allow("ses", "GetIdentityVerificationAttributes VerifyEmailIdentity", On::All),
    ]),
    template("SESCrudPolicy", &["IdentityName"], &[
        allow("ses", "GetIdentityVerificationAttributes SendEmail SendRawEmail VerifyEmailIdentity", IDENTITY),
    ]),
    template("SESEmailTemplateCrudPolicy", &[], &[
        allow("ses", "CreateTemplate GetTemplate ListTemplates UpdateTemplate DeleteTemplate TestRenderTemplate",
            On::All),
    ]),
    template("SESSendBouncePolicy", &["IdentityName"], &[allow("ses", "SendBounce", IDENTITY)]),
    template("SNSCrudPolicy", &["TopicName"], &[
        allow("sns", "ListSubscriptionsByTopic CreateTopic SetTopicAttributes Subscribe Publish",
            On::One("sns|${topicName}*")),
    ]),
    template("SNSPublishMessagePolicy", &["TopicName"], &[allow("sns", "Publish", On::One("sns|${topicName}"))]),
    template("SQSPollerPolicy", &["QueueName"], &[
        allow("sqs", "ChangeMessageVisibility ChangeMessageVisibilityBatch DeleteMessage DeleteMessageBatch \
            GetQueueAttributes ReceiveMessage", QUEUE),
    ]),
    template("SQSSendMessagePolicy", &["QueueName"], &[allow("sqs", "SendMessage*", QUEUE)]),
    template("SSMParameterReadPolicy", &["ParameterName"], &[
        allow("ssm", "DescribeParameters", On::All),
        allow("ssm", "GetParameters GetParameter GetParametersByPath", On::One("ssm|parameter/${parameterName}")),
    ]),
    template("SSMParameterWithSlashPrefixReadPolicy", &["ParameterName"], &[
        allow("ssm", "DescribeParameters", On::All),
        allow("ssm", "GetParameters GetParameter GetParametersByPath", On::One("ssm|parameter${parameterName}")),
    ]),
    template("ServerlessRepoReadWriteAccessPolicy", &[], &[
        allow("serverlessrepo", "CreateApplication CreateApplicationVersion UpdateApplication GetApplication \
            ListApplications ListApplicationVersions ListApplicationDependencies",
            On::List(&["serverlessrepo|applications/*"])),
    ]),
    template("StepFunctionsCallbackPolicy", &["StateMachineName"], &[
        allow("states", "SendTaskFailure SendTaskHeartbeat SendTaskSuccess", STATE_MACHINE),
    ]),
    template("StepFunctionsExecutionPolicy", &["StateMachineName"], &[
        allow("states", "StartExecution", STATE_MACHINE),
    ]),
    template("StepFunctionsExecutionPolicy_v2", &["StateMachineName"], &[
        allow("states", "StartExecution StartSyncExecution", STATE_MACHINE),
    ]),
    template("TextractDetectAnalyzePolicy", &[], &[
        allow("textract", "DetectDocumentText StartDocumentTextDetection StartDocumentAnalysis AnalyzeDocument",
            On::All),
    ]),
    template("TextractGetResultPolicy", &[], &[
        allow("textract", "GetDocumentTextDetection GetDocumentAnalysis", On::All),
    ]),
    template("TextractPolicy", &[], &[allow("textract", "*", On::All)]),
    template("VPCAccessPolicy", &[], &[
        allow("ec2", "CreateNetworkInterface DeleteNetworkInterface DescribeNetworkInterfaces \
            DetachNetworkInterface", On::All),
    ]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_put_into_arns() {
        let given = dict! { "TableName" => "t" };
        let policy = Node::Dict(find("DynamoDBReconfigurePolicy").unwrap().fill(&given)).to_json();
        assert_eq!(
            policy,
            json!({"Statement": [{
                "Action": ["dynamodb:UpdateTable"],
                "Effect": "Allow",
                "Resource": {"Fn::Sub": [
                    "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${tableName}",
                    {"tableName": "t"},
                ]},
            }]})
        );
    }

    #[test]
    fn every_parameter_is_used_and_every_blank_is_a_parameter() {
        for template in TEMPLATES {
            let given: Dict = template
                .parameters
                .iter()
                .map(|name| ((*name).into(), Node::from(format!("<{name}>"))))
                .collect();
            let text = crate::sam::ids::canonical_json(&template.fill(&given).into());
            for name in template.parameters {
                assert!(text.contains(&format!("<{name}>")), "{} does not use {name}", template.name);
            }
            for blank in
                text.split("${").skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name)
            {
                assert!(
                    blank.starts_with("AWS::")
                        || template.parameters.iter().any(|p| p.eq_ignore_ascii_case(blank)),
                    "{}: {blank}",
                    template.name
                );
            }
        }
    }
}

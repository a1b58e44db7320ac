//! Three stacks shaped like the notebook solution: roles with exports, a catalog that imports them, and
//! the vended notebook.

use std::collections::BTreeMap;

use nbvend_template::Template;
use nbvend_template::graph::Graph;
use nbvend_template::intrinsics::{Env, Resolver, evaluate_conditions, resolve};
use nbvend_template::parameters::{Given, resolve_parameters};
use serde_json::{Map, Value, json};

const ROLES: &str = "AWSTemplateFormatVersion: 2010-09-09
Description: Roles and a bucket
Parameters:
  RoleName:
    Type: String
    Description: Name of the notebooks' role
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    Properties:
      PublicAccessBlockConfiguration: {BlockPublicAcls: true, IgnorePublicAcls: yes}
  NotebookRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Ref RoleName
      MaxSessionDuration: 3600
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Service: [!Sub 'sagemaker.${AWS::URLSuffix}']}
            Action: ['sts:AssumeRole']
  NotebookPolicy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      ManagedPolicyName: NotebookPolicy
      Roles: [!Ref NotebookRole]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Action: ec2:Describe*
            Resource: !Sub 'arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:*'
            Condition: {Bool: {'aws:SecureTransport': 'true'}}
Outputs:
  BucketName:
    Value: !Ref Bucket
    Export: {Name: !Sub '${AWS::StackName}-Bucket-Name'}
  RoleArn:
    Description: The role
    Value: !GetAtt NotebookRole.Arn
    Export:
      Name: !Join ['-', [!Ref 'AWS::StackName', RoleArn]]
";

const CATALOG: &str = "AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  InstanceType: {Type: String, AllowedValues: [ml.t2.medium, ml.m4.xlarge]}
  RolesStack: {Type: String}
  BucketName: {Type: String}
  TemplateName: {Type: String}
  Principal: {Type: String}
Resources:
  LaunchRole:
    Type: AWS::IAM::Role
    Properties:
      Path: /service-role/
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: servicecatalog.amazonaws.com}, Action: 'sts:AssumeRole'}]
  PassPolicy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Action: iam:PassRole
            Resource:
              - !GetAtt LaunchRole.Arn
              - Fn::ImportValue: !Sub '${RolesStack}-RoleArn'
      Roles:
        - !Ref LaunchRole
  Portfolio:
    Type: AWS::ServiceCatalog::Portfolio
    Properties: {DisplayName: Demo, ProviderName: IT}
  Product:
    Type: AWS::ServiceCatalog::CloudFormationProduct
    DependsOn: LaunchRole
    Properties:
      Name: Notebook
      ProvisioningArtifactParameters:
        - Name: v1
          Info:
            LoadTemplateFromURL: !Sub 'https://${BucketName}.s3.amazonaws.com/${TemplateName}'
  Association:
    Type: AWS::ServiceCatalog::PortfolioProductAssociation
    Properties: {PortfolioId: !Ref Portfolio, ProductId: !Ref Product}
  User:
    Type: AWS::ServiceCatalog::PortfolioPrincipalAssociation
    Properties: {PortfolioId: !Ref Portfolio, PrincipalARN: !Ref Principal, PrincipalType: IAM}
  Constraint:
    Type: AWS::ServiceCatalog::LaunchRoleConstraint
    DependsOn: Association
    Properties: {PortfolioId: !Ref Portfolio, ProductId: !Ref Product, RoleArn: !GetAtt LaunchRole.Arn}
";

const NOTEBOOK: &str = "Parameters:
  InstanceType: {Type: String, Default: ml.t2.medium, AllowedValues: [ml.t2.medium, ml.t3.medium]}
  RolesStack: {Type: String, Default: roles}
  UserName: {Type: String, Default: Demo-User}
Resources:
  Notebook:
    Type: AWS::SageMaker::NotebookInstance
    Properties:
      NotebookInstanceName: !Sub '${UserName}-Notebook'
      InstanceType: !Ref InstanceType
      RoleArn: !ImportValue
        Fn::Sub: '${RolesStack}-RoleArn'
Outputs:
  Arn: {Value: !Ref Notebook}
  StackName:
    Value: !Ref AWS::StackName
    Export: {Name: !Sub '${AWS::StackName}'}
";

/// Every resource is named after its id; exports are given.
struct Engine {
    exports: BTreeMap<String, String>,
}

impl Resolver for Engine {
    fn reference(&self, id: &str) -> Option<Value> {
        Some(json!(format!("{id}-1")))
    }

    fn attribute(&self, id: &str, attribute: &str) -> Option<Value> {
        Some(json!(format!("{id}:{attribute}")))
    }

    fn import(&self, export: &str) -> Result<Value, String> {
        self.exports.get(export).map(|v| json!(v)).ok_or(format!("No export named {export} found"))
    }

    fn availability_zones(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn dynamic(&self, _: &str, _: &str) -> Result<String, String> {
        Err("none".to_owned())
    }
}

struct Stack {
    template: Template,
    parameters: Map<String, Value>,
    pseudo: Map<String, Value>,
    conditions: BTreeMap<String, bool>,
}

impl Stack {
    fn new(text: &str, name: &str, given: &[(&str, &str)]) -> Stack {
        let template = Template::parse(text).unwrap();
        template.validate().unwrap();
        let given: Vec<_> = given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Given::Value((*value).to_owned())))
            .collect();
        let parameters = resolve_parameters(&template.parameters(), &given, None).unwrap();
        let pseudo = json!({"AWS::StackName": name, "AWS::Region": "us-east-1", "AWS::Partition": "aws",
            "AWS::AccountId": "123456789012", "AWS::URLSuffix": "amazonaws.com"});
        let pseudo = pseudo.as_object().unwrap().clone();
        let conditions = evaluate_conditions(&template, &parameters, &pseudo).unwrap();
        Stack { template, parameters, pseudo, conditions }
    }

    fn resolve(&self, value: &Value, engine: &Engine) -> Value {
        let env = Env {
            parameters: &self.parameters,
            pseudo: &self.pseudo,
            mappings: self.template.mappings(),
            conditions: &self.conditions,
            language_extensions: false,
            resolver: engine,
        };
        resolve(value, &env).unwrap().unwrap()
    }

    fn properties(&self, id: &str, engine: &Engine) -> Value {
        self.resolve(&Value::Object(self.template.resource(id).unwrap().properties().clone()), engine)
    }

    fn order(&self) -> Vec<String> {
        let graph = Graph::of(&self.template, &self.conditions).unwrap();
        graph.creation_order().into_iter().map(str::to_owned).collect()
    }
}

#[test]
fn roles_are_exported_and_imported() {
    let engine = Engine { exports: BTreeMap::new() };
    let roles = Stack::new(ROLES, "roles", &[("RoleName", "NotebookRole")]);
    assert_eq!(roles.order(), ["Bucket", "NotebookRole", "NotebookPolicy"]);
    assert_eq!(roles.template.capabilities(), ["CAPABILITY_NAMED_IAM"]);
    assert_eq!(
        roles.template.capabilities_reason().unwrap(),
        "The following resource(s) require capabilities: [AWS::IAM::ManagedPolicy, AWS::IAM::Role]"
    );
    assert_eq!(
        roles.properties("NotebookRole", &engine),
        json!({"RoleName": "NotebookRole", "MaxSessionDuration": 3600, "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": ["sagemaker.amazonaws.com"]}, "Action": ["sts:AssumeRole"]}]}})
    );
    let policy = roles.properties("NotebookPolicy", &engine);
    let statement = &policy["PolicyDocument"]["Statement"][0];
    assert_eq!(statement["Resource"], "arn:aws:ec2:us-east-1:123456789012:*");
    assert_eq!(statement["Condition"], json!({"Bool": {"aws:SecureTransport": "true"}}));
    assert_eq!(
        roles.properties("Bucket", &engine)["PublicAccessBlockConfiguration"]["IgnorePublicAcls"],
        true
    );

    let mut exports = BTreeMap::new();
    for output in roles.template.outputs() {
        let name = roles.resolve(output.export_name.unwrap(), &engine);
        let value = roles.resolve(output.value, &engine);
        exports.insert(name.as_str().unwrap().to_owned(), value.as_str().unwrap().to_owned());
    }
    assert_eq!(
        exports,
        BTreeMap::from([
            ("roles-Bucket-Name".to_owned(), "Bucket-1".to_owned()),
            ("roles-RoleArn".to_owned(), "NotebookRole:Arn".to_owned())
        ])
    );

    let engine = Engine { exports };
    let notebook = Stack::new(NOTEBOOK, "sc-1", &[("UserName", "Ann")]);
    assert_eq!(
        notebook.properties("Notebook", &engine),
        json!({"NotebookInstanceName": "Ann-Notebook", "InstanceType": "ml.t2.medium", "RoleArn": "NotebookRole:Arn"})
    );
    let names: Vec<_> = notebook.template.parameters().into_iter().map(|p| p.name).collect();
    assert_eq!(names, ["InstanceType", "RolesStack", "UserName"]);
    assert!(notebook.template.capabilities().is_empty());
}

#[test]
fn the_catalog_is_made_in_order() {
    let given = [
        ("InstanceType", "ml.t2.medium"),
        ("RolesStack", "roles"),
        ("BucketName", "b"),
        ("TemplateName", "n.yml"),
        ("Principal", "arn:aws:iam::123456789012:user/ann"),
    ];
    let catalog = Stack::new(CATALOG, "catalog", &given);
    assert_eq!(
        catalog.order(),
        ["LaunchRole", "PassPolicy", "Portfolio", "Product", "Association", "User", "Constraint"]
    );
    let engine = Engine { exports: BTreeMap::from([("roles-RoleArn".to_owned(), "arn:role".to_owned())]) };
    let product = catalog.properties("Product", &engine);
    assert_eq!(
        product["ProvisioningArtifactParameters"][0]["Info"]["LoadTemplateFromURL"],
        "https://b.s3.amazonaws.com/n.yml"
    );
    let policy = catalog.properties("PassPolicy", &engine);
    assert_eq!(policy["PolicyDocument"]["Statement"][0]["Resource"], json!(["LaunchRole:Arn", "arn:role"]));
    assert_eq!(catalog.template.capabilities(), ["CAPABILITY_IAM"]);
    let graph = Graph::of(&catalog.template, &catalog.conditions).unwrap();
    assert_eq!(graph.imports(&catalog.template), [&json!({"Fn::Sub": "${RolesStack}-RoleArn"})]);
}

#[test]
fn a_transform_still_to_come_is_judged_by_shape() {
    let text = "Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Timeout: 3}}
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties: {Role: !GetAtt FunctionRole.Arn, Api: !Ref ServerlessRestApi, Events: }
";
    let template = Template::parse(text).unwrap();
    template.validate().unwrap();
    assert_eq!(template.transforms(), ["AWS::Serverless-2016-10-31"]);
    let without = Template::parse(&text.replace("Transform: AWS::Serverless-2016-10-31\n", "")).unwrap();
    assert_eq!(without.validate().unwrap_err().message, "Invalid template property or properties [Globals]");
}
